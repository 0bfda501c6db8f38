#pragma once

#include <absl/strings/str_cat.h>
#include <absl/time/time.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>

#include "upstream/http_client.h"
#include "upstream/loop/timers.h"

namespace idv {

// What the upstream is known to do with too many requests: it counts them in windows of a minute
// and of an hour, each of which begins with the first request after the last one's end, and does
// not count what it refuses. Knows no clock.
class RateLimitedUpstream {
 public:
  struct Options {
    int per_minute = 0;
    int per_hour = 0;
    bool has_headers = true;
    bool has_date = true;
    bool rounds_up = true;  // the time of its reset
    // How far its clock is ahead of ours.
    std::chrono::milliseconds skew{};
  };

  explicit RateLimitedUpstream(const Options& options) : options_(options) {}

  // The answer to a request that arrives at `now`: 200 or 429.
  HttpResponse Answer(TimePoint now) {
    const auto by_its_clock = std::chrono::ceil<std::chrono::milliseconds>(
        (kWallTime + options_.skew + (now - kBegin)).time_since_epoch());
    return Answer(by_its_clock);
  }

  int taken() const { return taken_; }
  int refused() const { return refused_; }

  // Our own clock's time of day at `now`, and the time at which a test should begin.
  static std::chrono::system_clock::time_point WallTimeAt(TimePoint now) {
    return kWallTime +
           std::chrono::duration_cast<std::chrono::system_clock::duration>(now - kBegin);
  }
  static TimePoint begin() { return kBegin; }

 private:
  using Time = std::chrono::milliseconds;

  struct Window {
    Time end{};
    int used = 0;
    void Renew(Time now, Time length) {
      if (now < end) return;
      end = now + length;
      used = 0;
    }
  };

  static constexpr std::chrono::system_clock::time_point kWallTime{std::chrono::hours(500'000)};
  static constexpr TimePoint kBegin{std::chrono::hours(1000)};

  HttpResponse Answer(Time now) {
    minute_.Renew(now, std::chrono::minutes(1));
    hour_.Renew(now, std::chrono::hours(1));
    std::optional<Time> free_at;
    if (minute_.used >= options_.per_minute) free_at = minute_.end;
    if (hour_.used >= options_.per_hour) free_at = std::max(free_at.value_or(Time{}), hour_.end);
    if (!free_at) {
      ++minute_.used;
      ++hour_.used;
    }
    ++(free_at ? refused_ : taken_);
    return Write(now, free_at);
  }

  HttpResponse Write(Time now, std::optional<Time> free_at) const {
    const int of_minute = options_.per_minute - minute_.used;
    const int of_hour = options_.per_hour - hour_.used;
    const Time end = free_at.value_or(of_hour < of_minute ? hour_.end : minute_.end);
    using std::chrono::seconds;
    const seconds reset =
        options_.rounds_up ? std::chrono::ceil<seconds>(end) : std::chrono::floor<seconds>(end);
    HttpResponse response;
    response.status = free_at ? 429 : 200;
    if (options_.has_date) {
      const absl::Time date = absl::FromUnixMillis(now.count());
      absl::StrAppend(&response.header_lines, "Date: ",
                      absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", date, absl::UTCTimeZone()),
                      "\r\n");
    }
    if (!options_.has_headers) return response;
    absl::StrAppend(&response.header_lines, "X-RateLimit-Limit: ", options_.per_minute, "\r\n",
                    "X-RateLimit-Remaining: ", std::min(of_minute, of_hour), "\r\n",
                    "X-RateLimit-Reset: ", reset.count(), "\r\n");
    if (free_at) {
      absl::StrAppend(&response.header_lines,
                      "Retry-After: ", std::chrono::ceil<seconds>(*free_at - now).count(), "\r\n");
    }
    return response;
  }

  const Options options_;
  Window minute_;
  Window hour_;
  int taken_ = 0;
  int refused_ = 0;
};

}  // namespace idv
