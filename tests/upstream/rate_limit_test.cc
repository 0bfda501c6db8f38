#include "upstream/rate_limit.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace idv {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// Sun, 06 Nov 1994 08:49:37 GMT
const auto kNow = std::chrono::system_clock::from_time_t(784'111'777);
constexpr const char* kDate = "Date: Sun, 06 Nov 1994 08:49:37 GMT";

RateLimitNotice Read(const std::vector<std::string>& headers,
                     std::chrono::system_clock::time_point now = kNow) {
  HttpResponse response;
  response.status = 200;
  response.header_lines = "HTTP/1.1 200 OK\r\n";
  for (const std::string& header : headers) response.header_lines += header + "\r\n";
  return ReadRateLimit(response, now);
}

TEST(RateLimitTest, ReadsAllThatAnAnswerSays) {
  const RateLimitNotice notice = Read({kDate, "X-RateLimit-Limit: 200", "x-ratelimit-remaining: 17",
                                       "X-RATELIMIT-RESET: 784111801", "Retry-After: 24"});

  EXPECT_EQ(notice.limit, 200);
  EXPECT_EQ(notice.remaining, 17);
  EXPECT_EQ(notice.reset, seconds(784'111'801));
  EXPECT_EQ(notice.reset_in, seconds(24));
  EXPECT_EQ(notice.retry_after, seconds(24));
  EXPECT_FALSE(notice.is_refused);
}

TEST(RateLimitTest, KnowsNothingFromAnAnswerWithoutHeaders) {
  const RateLimitNotice notice = Read({kDate, "Content-Type: application/json"});

  EXPECT_EQ(notice.limit, std::nullopt);
  EXPECT_EQ(notice.remaining, std::nullopt);
  EXPECT_EQ(notice.reset, std::nullopt);
  EXPECT_EQ(notice.reset_in, std::nullopt);
  EXPECT_EQ(notice.retry_after, std::nullopt);
}

TEST(RateLimitTest, ANumberThatIsNoneSaysNothing) {
  for (const std::string text : {"", "many", "-1", "-9223372036854775808", "1.5", "12 requests",
                                 "0x10", "1e3", "10, 20", "99999999999999999999999999", "NaN"}) {
    const RateLimitNotice notice =
        Read({kDate, "X-RateLimit-Limit: " + text, "X-RateLimit-Remaining: " + text,
              "X-RateLimit-Reset: " + text});
    EXPECT_EQ(notice.limit, std::nullopt) << text;
    EXPECT_EQ(notice.remaining, std::nullopt) << text;
    EXPECT_EQ(notice.reset, std::nullopt) << text;
    EXPECT_EQ(notice.reset_in, std::nullopt) << text;
  }
}

TEST(RateLimitTest, HugeNumbersSayNothing) {
  struct Row {
    std::string text;
    std::optional<int> count;
    std::optional<seconds> reset;
  };
  const std::vector<Row> rows = {
      {"0", 0, seconds(0)},
      {"2147483647", 2'147'483'647, seconds(2'147'483'647)},
      {"2147483648", std::nullopt, seconds(2'147'483'648)},
      {"1099511627775", std::nullopt, seconds(1'099'511'627'775)},
      {"1099511627776", std::nullopt, std::nullopt},
      {"9223372036854775807", std::nullopt, std::nullopt},
      {"9223372036854775808", std::nullopt, std::nullopt},
  };
  for (const Row& row : rows) {
    const RateLimitNotice notice =
        Read({kDate, "X-RateLimit-Limit: " + row.text, "X-RateLimit-Remaining: " + row.text,
              "X-RateLimit-Reset: " + row.text});
    EXPECT_EQ(notice.limit, row.count) << row.text;
    EXPECT_EQ(notice.remaining, row.count) << row.text;
    EXPECT_EQ(notice.reset, row.reset) << row.text;
  }
}

TEST(RateLimitTest, TellsHowFarTheResetIsByTheUpstreamsOwnClock) {
  for (const seconds off : {seconds(0), seconds(30), seconds(-30), seconds(hours(1)),
                            seconds(hours(-1)), seconds(hours(24 * 365))}) {
    const RateLimitNotice notice = Read({kDate, "X-RateLimit-Reset: 784111801"}, kNow + off);
    EXPECT_EQ(notice.reset_in, seconds(24)) << off.count();
  }
}

TEST(RateLimitTest, DoesNotKnowHowFarTheResetIsWithoutADate) {
  for (const std::string date : {"", "Date: yesterday", "Date:"}) {
    const RateLimitNotice notice = Read({date, "X-RateLimit-Reset: 784111801"});
    EXPECT_EQ(notice.reset, seconds(784'111'801)) << date;
    EXPECT_EQ(notice.reset_in, std::nullopt) << date;
  }
}

TEST(RateLimitTest, AResetThatIsPastIsSo) {
  EXPECT_EQ(Read({kDate, "X-RateLimit-Reset: 784111770"}).reset_in, seconds(-7));
}

TEST(RateLimitTest, ReadsRetryAfterAsSecondsAndAsDate) {
  struct Row {
    std::string text;
    std::optional<milliseconds> expected;
  };
  const std::vector<Row> rows = {
      {"0", milliseconds(0)},
      {"7", seconds(7)},
      {"1.5", milliseconds(1500)},
      {"999999999999", hours(24)},
      {"Sun, 06 Nov 1994 08:50:37 GMT", minutes(1)},
      {"Sun, 06 Nov 1994 08:00:00 GMT", milliseconds(0)},
      {"soon", std::nullopt},
      {"-3", std::nullopt},
      {"", std::nullopt},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(Read({kDate, "Retry-After: " + row.text}).retry_after, row.expected) << row.text;
  }
}

TEST(RateLimitTest, ADateOfRetryAfterIsByTheUpstreamsOwnClockToo) {
  for (const seconds off : {seconds(30), seconds(-30), seconds(hours(1)), seconds(hours(-1))}) {
    const RateLimitNotice notice =
        Read({kDate, "Retry-After: Sun, 06 Nov 1994 08:50:37 GMT"}, kNow + off);
    EXPECT_EQ(notice.retry_after, minutes(1)) << off.count();
  }
  EXPECT_EQ(Read({"Retry-After: Sun, 06 Nov 1994 08:50:37 GMT"}).retry_after, minutes(1));
}

}  // namespace
}  // namespace idv
