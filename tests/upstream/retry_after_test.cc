#include "upstream/retry_after.h"

#include <limits>
#include <string>
#include <vector>

namespace idv {
namespace {

using std::chrono::milliseconds;

// Sun, 06 Nov 1994 08:49:37 GMT
const auto kNow = std::chrono::system_clock::from_time_t(784'111'777);

TEST(RetryAfterTest, ReadsSecondsAndDates) {
  struct Row {
    std::string text;
    milliseconds expected;
  };
  const std::vector<Row> rows = {
      {"0", milliseconds(0)},
      {"30", milliseconds(30'000)},
      {" 7 ", milliseconds(7'000)},
      {"1.5", milliseconds(1'500)},
      {"999999999999", std::chrono::hours(24)},
      {"Sun, 06 Nov 1994 08:49:47 GMT", milliseconds(10'000)},
      {"Sunday, 06-Nov-94 08:49:47 GMT", milliseconds(10'000)},
      {"Sun Nov  6 08:49:47 1994", milliseconds(10'000)},
      {"Sun, 06 Nov 1994 08:00:00 GMT", milliseconds(0)},
      {"Sun, 06 Nov 2094 08:00:00 GMT", std::chrono::hours(24)},
      {"Fri, 31 Dec 9999 23:59:59 GMT", std::chrono::hours(24)},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(ParseRetryAfter(row.text, kNow), row.expected) << row.text;
  }
}

TEST(RetryAfterTest, KnowsNothingFromOtherTexts) {
  for (const std::string text : {"", "soon", "-1", "1 minute", "Sun", "12:00", "1..5", "0x10"}) {
    EXPECT_EQ(ParseRetryAfter(text, kNow), std::nullopt) << text;
  }
  EXPECT_EQ(RetryAfterSeconds(std::numeric_limits<double>::quiet_NaN()), std::nullopt);
  EXPECT_EQ(RetryAfterSeconds(std::numeric_limits<double>::infinity()), std::nullopt);
}

}  // namespace
}  // namespace idv
