#ifndef UPSTREAM_SANDBOX_TARGET_H_
#define UPSTREAM_SANDBOX_TARGET_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace idv::sandbox {

// "%41b" -> "Ab". Nothing when a '%' is not followed by two hexadecimal digits.
std::optional<std::string> PercentDecode(std::string_view text);

// The path below the API's base: "/api/v1/idv/health" and "/api/v1/health" -> "/health". The vendor
// uses both prefixes, and its server SDK, left to its default, both at once (upstream-api.md
// sections 1 and 17). Nothing for a path outside of them.
std::optional<std::string_view> PathBelowBase(std::string_view path);

// "/a/b%2Fc" -> {"a", "b/c"}: split first, decoded after. Nothing when a segment cannot be decoded.
std::optional<std::vector<std::string>> Segments(std::string_view path);

// The decoded value of the first parameter of that name; nothing when it is absent or malformed.
std::optional<std::string> QueryValue(std::string_view query, std::string_view name);

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_TARGET_H_
