#ifndef UPSTREAM_SANDBOX_DIGEST_H_
#define UPSTREAM_SANDBOX_DIGEST_H_

#include <span>
#include <string>
#include <string_view>

namespace idv::sandbox {

// Two lower-case digits a byte.
std::string Hex(std::span<const unsigned char> bytes);

// HMAC-SHA256 in lower-case hexadecimal. The key may be of any length, none too.
std::string HmacSha256(std::string_view key, std::string_view text);

// In a time that does not tell where two signatures differ.
bool EqualSignatures(std::string_view a, std::string_view b);

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_DIGEST_H_
