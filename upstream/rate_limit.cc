#include "upstream/rate_limit.h"

#include <absl/strings/numbers.h>
#include <curl/curl.h>

#include <cstdint>
#include <limits>
#include <string>

#include "upstream/retry_after.h"

namespace idv {
namespace {

using std::chrono::seconds;
using std::chrono::system_clock;

std::optional<int64_t> NumberIn(const HttpResponse& response, absl::string_view name) {
  const std::optional<absl::string_view> text = response.Header(name);
  int64_t number = 0;
  if (!text || !absl::SimpleAtoi(*text, &number) || number < 0) return std::nullopt;
  return number;
}

std::optional<int> CountIn(const HttpResponse& response, absl::string_view name) {
  const std::optional<int64_t> number = NumberIn(response, name);
  if (!number || *number > std::numeric_limits<int>::max()) return std::nullopt;
  return static_cast<int>(*number);
}

}  // namespace

std::optional<system_clock::time_point> SentAt(const HttpResponse& response) {
  // In nanoseconds, as system_clock counts, time ends in the year 2262.
  constexpr time_t kLatestDate = time_t{1} << 33;
  const std::optional<absl::string_view> date = response.Header("Date");
  if (!date) return std::nullopt;
  const time_t sent_at = curl_getdate(std::string(*date).c_str(), nullptr);
  if (sent_at < 0 || sent_at > kLatestDate) return std::nullopt;
  return system_clock::from_time_t(sent_at);
}

RateLimitNotice ReadRateLimit(const HttpResponse& response, system_clock::time_point now) {
  // Beyond it, it is no time of a window.
  constexpr int64_t kLatestReset = int64_t{1} << 40;
  const std::optional<system_clock::time_point> sent_at = SentAt(response);
  RateLimitNotice notice;
  notice.limit = CountIn(response, "X-RateLimit-Limit");
  notice.remaining = CountIn(response, "X-RateLimit-Remaining");
  const std::optional<int64_t> reset = NumberIn(response, "X-RateLimit-Reset");
  if (reset && *reset < kLatestReset) {
    notice.reset = seconds(*reset);
    if (sent_at) {
      const auto since_epoch = std::chrono::floor<seconds>(sent_at->time_since_epoch());
      notice.reset_in = *notice.reset - since_epoch;
    }
  }
  if (const auto text = response.Header("Retry-After")) {
    notice.retry_after = ParseRetryAfter(*text, sent_at.value_or(now));
  }
  return notice;
}

}  // namespace idv
