#include "upstream/base64.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace idv {
namespace {

constexpr absl::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// The two characters of every 12-bit value: half as many look-ups as one character at a time.
constexpr std::array<std::array<char, 2>, 4096> MakePairs() {
  std::array<std::array<char, 2>, 4096> pairs{};
  for (size_t i = 0; i < pairs.size(); ++i) pairs[i] = {kAlphabet[i >> 6], kAlphabet[i & 63]};
  return pairs;
}
constexpr auto kPairs = MakePairs();

// Three bytes to four characters.
void EncodeGroup(const unsigned char* in, char* out) {
  const uint32_t bits =
      static_cast<uint32_t>(in[0]) << 16 | static_cast<uint32_t>(in[1]) << 8 | in[2];
  std::memcpy(out, kPairs[bits >> 12].data(), 2);
  std::memcpy(out + 2, kPairs[bits & 4095].data(), 2);
}

// The four characters of the group that starts at byte `at`, padded when the bytes end within it.
std::array<char, 4> Group(absl::string_view bytes, uint64_t at) {
  std::array<unsigned char, 3> in{};
  const size_t have = std::min<size_t>(3, bytes.size() - at);
  std::memcpy(in.data(), bytes.data() + at, have);
  std::array<char, 4> out{};
  EncodeGroup(in.data(), out.data());
  if (have < 3) out[3] = '=';
  if (have < 2) out[2] = '=';
  return out;
}

}  // namespace

void Base64Piece(absl::string_view bytes, uint64_t offset, size_t count, char* out) {
  uint64_t at = offset / 4 * 3;
  while (count > 0) {
    const size_t skip = offset % 4;
    if (skip == 0 && count >= 4 && bytes.size() - at >= 3) {
      const size_t groups = std::min(count / 4, (bytes.size() - at) / 3);
      const auto* in = reinterpret_cast<const unsigned char*>(bytes.data()) + at;
      for (size_t i = 0; i < groups; ++i) EncodeGroup(in + 3 * i, out + 4 * i);
      at += 3 * groups;
      out += 4 * groups;
      count -= 4 * groups;
      continue;
    }
    const std::array<char, 4> group = Group(bytes, at);
    const size_t take = std::min(count, 4 - skip);
    std::memcpy(out, group.data() + skip, take);
    at += 3;
    out += take;
    count -= take;
    offset = 0;
  }
}

}  // namespace idv
