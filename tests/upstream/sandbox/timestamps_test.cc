#include "upstream/sandbox/timestamps.h"

#include <gtest/gtest.h>

namespace idv::sandbox {
namespace {

using namespace std::chrono_literals;

TEST(TimestampsTest, WritesRfc3339InUtcWithMicroseconds) {
  EXPECT_EQ(FormatTime(Time()), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(FormatTime(Time(1767323045s + 42us)), "2026-01-02T03:04:05.000042Z");
  EXPECT_EQ(FormatTime(Time(951868799s + 999999us)), "2000-02-29T23:59:59.999999Z");
}

TEST(TimestampsTest, WritesDatesOfHttp) {
  EXPECT_EQ(FormatHttpDate(Time()), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(FormatHttpDate(Time(1767323045s + 999ms)), "Fri, 02 Jan 2026 03:04:05 GMT");
  EXPECT_EQ(FormatHttpDate(Time(951868799s)), "Tue, 29 Feb 2000 23:59:59 GMT");
}

TEST(TimestampsTest, CountsMillisecondsFromTheEpoch) {
  EXPECT_EQ(UnixMillis(Time(5s + 1999us)), 5001);
}

}  // namespace
}  // namespace idv::sandbox
