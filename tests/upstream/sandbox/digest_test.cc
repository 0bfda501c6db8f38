#include "upstream/sandbox/digest.h"

#include <gtest/gtest.h>

#include <array>

namespace idv::sandbox {
namespace {

TEST(DigestTest, WritesTwoDigitsAByte) {
  EXPECT_EQ(Hex({}), "");
  EXPECT_EQ(Hex(std::array<unsigned char, 3>{0x00, 0x0F, 0xA5}), "000fa5");
}

// RFC 4231 section 4.3, and a key and text of no length.
TEST(DigestTest, SignsAsTheRfcDoes) {
  EXPECT_EQ(HmacSha256("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(HmacSha256("", ""), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(DigestTest, ComparesSignatures) {
  EXPECT_TRUE(EqualSignatures("ab", "ab"));
  EXPECT_FALSE(EqualSignatures("ab", "aB"));
  EXPECT_FALSE(EqualSignatures("ab", "abc"));
  EXPECT_TRUE(EqualSignatures("", ""));
}

}  // namespace
}  // namespace idv::sandbox
