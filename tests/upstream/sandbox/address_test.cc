#include "upstream/sandbox/address.h"

#include <gtest/gtest.h>

namespace idv::sandbox {
namespace {

TEST(AddressTest, ReadsWhatItWrites) {
  for (const char* const text : {"127.0.0.1:8081", "0.0.0.0:0", "[::1]:65535"}) {
    const auto address = ParseAddress(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(FormatAddress(*address), text);
  }
  EXPECT_EQ(FormatAddress(*ParseAddress("localhost:80")), "127.0.0.1:80");
}

TEST(AddressTest, RefusesEverythingElse) {
  for (const char* const bad :
       {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "::1:80", "[::1]",
        "[127.0.0.1]:80", "example.test:80", ":80", "127.0.0.1:-1", "127.0.0.1:80x"}) {
    EXPECT_FALSE(ParseAddress(bad)) << bad;
  }
}

}  // namespace
}  // namespace idv::sandbox
