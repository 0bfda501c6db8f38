#include "gateway/verify/sample_picture.h"

#include <string_view>

namespace idv::verify {
namespace {

using std::string_view_literals::operator""sv;

constexpr auto kStartOfImage = "\xff\xd8"sv;
constexpr auto kJfifHeader = "\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"sv;
// The header of quantisation table 0; its 64 values follow.
constexpr auto kQuantisation = "\xff\xdb\x00\x43\x00"sv;
// 8 bits a sample, 16 by 16 pixels, one component (grey).
constexpr auto kFrame = "\xff\xc0\x00\x0b\x08\x00\x10\x00\x10\x01\x01\x11\x00"sv;
// Each Huffman table knows one symbol, 0, written as the single bit 0: "same brightness" and "end
// of block".
constexpr auto kDcTable = "\xff\xc4\x00\x14\x00\x01"sv;
constexpr auto kAcTable = "\xff\xc4\x00\x14\x10\x01"sv;
constexpr auto kScan = "\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"sv;
constexpr auto kEndOfImage = "\xff\xd9"sv;

}  // namespace

std::string SamplePicture() {
  std::string picture;
  picture.append(kStartOfImage).append(kJfifHeader);
  picture.append(kQuantisation).append(64, '\x01');
  picture.append(kFrame);
  // Behind the count of one-bit codes: none of the 15 longer lengths, then the symbol 0 itself.
  picture.append(kDcTable).append(16, '\0');
  picture.append(kAcTable).append(16, '\0');
  // Four blocks of 8 by 8 pixels, each of two bits, make one byte.
  picture.append(kScan).append(1, '\0');
  picture.append(kEndOfImage);
  return picture;
}

}  // namespace idv::verify
