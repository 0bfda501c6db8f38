#include "upstream/sandbox/base64.h"

#include <gtest/gtest.h>

namespace idv::sandbox {
namespace {

TEST(Base64Test, AcceptsStandardPaddedBase64Only) {
  for (const char* const good : {"AA==", "AAA=", "AAAA", "+/09azAZ", "QUJDRA=="}) {
    EXPECT_TRUE(IsBase64(good)) << good;
  }
  for (const char* const bad : {"", "A", "AA", "AAA", "A===", "====", "AA=A", "AA==AAAA", "AA-_",
                                "AAA\n", "AAAA\r\n", "data:image/jpeg;base64,AAAA",
                                "AA=="
                                "="}) {
    EXPECT_FALSE(IsBase64(bad)) << bad;
  }
}

}  // namespace
}  // namespace idv::sandbox
