#include "upstream/base64.h"

#include <absl/strings/escaping.h>

#include <random>
#include <string>

namespace idv {
namespace {

std::string Whole(const std::string& bytes) {
  std::string text(Base64Size(bytes.size()), '?');
  Base64Piece(bytes, 0, text.size(), text.data());
  return text;
}

std::string RandomBytes(size_t size) {
  std::minstd_rand random(static_cast<unsigned>(size) + 1);
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  return bytes;
}

TEST(Base64Test, EncodesTheVectorsOfRfc4648) {
  EXPECT_EQ(Whole(""), "");
  EXPECT_EQ(Whole("f"), "Zg==");
  EXPECT_EQ(Whole("fo"), "Zm8=");
  EXPECT_EQ(Whole("foo"), "Zm9v");
  EXPECT_EQ(Whole("foob"), "Zm9vYg==");
  EXPECT_EQ(Whole("fooba"), "Zm9vYmE=");
  EXPECT_EQ(Whole("foobar"), "Zm9vYmFy");
}

TEST(Base64Test, AgreesWithAnotherEncoderForAnyBytes) {
  for (const size_t size : {1U, 2U, 3U, 100U, 255U, 256U, 4096U, 65537U}) {
    const std::string bytes = RandomBytes(size);

    EXPECT_EQ(Whole(bytes), absl::Base64Escape(bytes)) << size << " bytes";
  }
}

TEST(Base64Test, MakesAnyPieceByItself) {
  for (size_t size = 0; size <= 13; ++size) {
    const std::string bytes = RandomBytes(size);
    const std::string whole = absl::Base64Escape(bytes);
    for (size_t offset = 0; offset <= whole.size(); ++offset) {
      for (size_t count = 0; offset + count <= whole.size(); ++count) {
        std::string piece(count, '?');

        Base64Piece(bytes, offset, count, piece.data());

        ASSERT_EQ(piece, whole.substr(offset, count))
            << size << " bytes, " << count << " characters from " << offset;
      }
    }
  }
}

}  // namespace
}  // namespace idv
