#include "upstream/base64.h"

#include <absl/strings/escaping.h>

#include <algorithm>
#include <string>
#include <vector>

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
  const size_t step = TakeNumber(rest, 65536) + 1;
  const size_t piece_size = TakeNumber(rest, 65536) + 1;
  const std::string expected = absl::Base64Escape(rest);
  // Copies of their own, so that a read beyond an end is seen.
  std::vector<std::string> pieces;
  for (; !rest.empty(); rest.remove_prefix(std::min(piece_size, rest.size()))) {
    pieces.emplace_back(rest.substr(0, piece_size));
  }

  Base64Reader reader({pieces.begin(), pieces.end()});
  if (reader.left() != expected.size()) return "its size is wrong";
  std::string text;
  std::string chunk(step, '\0');
  while (const size_t count = reader.Read(chunk.data(), step)) text.append(chunk, 0, count);
  return text == expected ? "" : "it differs from absl::Base64Escape()";
}

}  // namespace idv::fuzz
