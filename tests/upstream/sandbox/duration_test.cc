#include "upstream/sandbox/duration.h"

#include <gtest/gtest.h>

namespace idv::sandbox {
namespace {

using namespace std::chrono_literals;

TEST(DurationTest, ReadsWholeNumbersWithAUnit) {
  EXPECT_EQ(ParseDuration("0ms"), 0ms);
  EXPECT_EQ(ParseDuration("50ms"), 50ms);
  EXPECT_EQ(ParseDuration("5s"), 5000ms);
  EXPECT_EQ(ParseDuration("2m"), 120000ms);
  EXPECT_EQ(ParseDuration("24h"), 24h);
  for (const char* const bad :
       {"", "5", "ms", "-5ms", "5 ms", "1.5s", "5sec", "25h", "5S", "99999999999999999999ms"}) {
    EXPECT_EQ(ParseDuration(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace idv::sandbox
