#pragma once

#include <absl/strings/string_view.h>

#include <cstddef>
#include <cstdint>

namespace idv {

// The length of `bytes` bytes in standard base64 with padding.
constexpr uint64_t Base64Size(uint64_t bytes) { return (bytes + 2) / 3 * 4; }

// Writes `count` characters of the standard base64 of `bytes` (padded, no line breaks), from
// character `offset` on, to `out`. offset + count is at most Base64Size(bytes.size()). It keeps no
// state: any piece can be made at any time.
void Base64Piece(absl::string_view bytes, uint64_t offset, size_t count, char* out);

}  // namespace idv
