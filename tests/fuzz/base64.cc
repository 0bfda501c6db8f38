#include "upstream/base64.h"

#include <absl/strings/escaping.h>

#include <algorithm>

#include "tests/fuzz/target.h"

namespace idv::fuzz {
namespace {

// Takes two bytes off the front of `bytes`, as a number below `bound`.
size_t TakeNumber(absl::string_view& bytes, size_t bound) {
  size_t number = 0;
  for (int i = 0; i < 2 && !bytes.empty(); ++i) {
    number = number * 256 + static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
  }
  return number % bound;
}

}  // namespace

std::string CheckBase64(absl::string_view bytes) {
  absl::string_view rest = bytes;
  const size_t asked_offset = TakeNumber(rest, 65536);
  const size_t asked_count = TakeNumber(rest, 65536);
  // A copy of its own, so that a read beyond its end is seen.
  const std::string image(rest);
  const std::string expected = absl::Base64Escape(image);
  if (Base64Size(image.size()) != expected.size()) return "Base64Size() is wrong";

  const size_t offset = asked_offset % (expected.size() + 1);
  const size_t count = asked_count % (expected.size() - offset + 1);
  std::string piece(count, '\0');
  Base64Piece(image, offset, count, piece.data());
  return piece == expected.substr(offset, count) ? "" : "a piece differs from absl::Base64Escape()";
}

}  // namespace idv::fuzz
