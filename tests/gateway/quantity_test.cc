#include "gateway/quantity.h"

#include <string>

namespace idv {
namespace {

TEST(QuantityTest, ReadsDurations) {
  EXPECT_EQ(*ParseDuration("250ms"), std::chrono::milliseconds(250));
  EXPECT_EQ(*ParseDuration("5s"), std::chrono::seconds(5));
  EXPECT_EQ(*ParseDuration("2m"), std::chrono::minutes(2));
  EXPECT_EQ(*ParseDuration("24h"), std::chrono::hours(24));
  EXPECT_EQ(*ParseDuration("7d"), std::chrono::hours(7 * 24));
  EXPECT_EQ(*ParseDuration("0s"), std::chrono::seconds(0));
  for (const std::string text : {"", "5", "s", "5 s", "-5s", "1.5s", "5w", "5S",
                                 "99999999999999999999s", "9223372036854775807h"}) {
    EXPECT_FALSE(ParseDuration(text).ok()) << text;
  }
}

TEST(QuantityTest, ReadsSizes) {
  EXPECT_EQ(*ParseSize("1024"), 1024U);
  EXPECT_EQ(*ParseSize("256KiB"), 256U << 10);
  EXPECT_EQ(*ParseSize("8MiB"), 8U << 20);
  EXPECT_EQ(*ParseSize("1GiB"), 1U << 30);
  for (const std::string text : {"", "MiB", "8MB", "8 MiB", "-1", "1.5MiB", "9999999999999GiB"}) {
    EXPECT_FALSE(ParseSize(text).ok()) << text;
  }
}

}  // namespace
}  // namespace idv
