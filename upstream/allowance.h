#pragma once

#include <cstdint>

#include "upstream/loop/timers.h"
#include "upstream/rate_limit.h"
#include "upstream/rate_window.h"

namespace idv {

// How many more requests the upstream answers for one tenant: so many a minute and so many an hour,
// by its plan and by what the upstream's answers say. Knows no clock and nobody who waits. For one
// thread.
class Allowance {
 public:
  struct Limits {
    int per_minute = RateWindow::kNoLimit;
    int per_hour = RateWindow::kNoLimit;

    bool operator==(const Limits&) const = default;
  };

  // A request that was counted, by the windows that it was counted in.
  struct Taken {
    uint64_t minute = 0;
    uint64_t hour = 0;
  };

  explicit Allowance(const Limits& limits) { SetLimits(limits); }

  void SetLimits(const Limits& limits);
  // These, or what the upstream says if that is less.
  Limits limits() const { return {.per_minute = minute_.limit(), .per_hour = hour_.limit()}; }

  // All below ask that it was called with the same `now` before.
  void Roll(TimePoint now);

  int limit() const { return minute_.limit(); }
  int left() const;
  // Of the minute: another one, another number.
  uint64_t window() const { return minute_.number(); }
  TimePoint At(int ahead, TimePoint now) const;
  // The same for who leaves that share of the minute's to others, and half of the hour's: an hour
  // is too long to spread over it what may be gone in half of it.
  TimePoint PacedAt(int ahead, TimePoint now, double reserve) const;

  // Counts a request: then one of the two below.
  Taken Take(TimePoint now);
  // It was not sent.
  void GiveBack(const Taken& taken);
  // It was, `times` times, and this came of it.
  void Settle(const Taken& taken, int times, const RateLimitNotice& notice, TimePoint now);

 private:
  RateWindow minute_{std::chrono::minutes(1)};
  RateWindow hour_{std::chrono::hours(1)};
  int unanswered_ = 0;
};

}  // namespace idv
