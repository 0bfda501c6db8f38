#include "upstream/allowance.h"

#include <algorithm>
#include <optional>

namespace idv {
namespace {

using std::chrono::seconds;

// A time further off is not the end of a minute.
constexpr seconds kMinuteAtMost{62};
constexpr seconds kHourAtMost{3602};

// By how much the upstream's times, in whole seconds, may be too early.
constexpr seconds kRounding{1};

// What others are left of an hour.
constexpr double kOfHour = 0.5;

}  // namespace

void Allowance::SetLimits(const Limits& limits) {
  minute_.SetLimit(limits.per_minute);
  hour_.SetLimit(limits.per_hour);
}

void Allowance::Roll(TimePoint now) {
  minute_.Roll(now, unanswered_);
  hour_.Roll(now, unanswered_);
}

int Allowance::left() const { return std::min(minute_.left(), hour_.left()); }

TimePoint Allowance::At(int ahead, TimePoint now) const {
  return std::max(minute_.At(ahead, now), hour_.At(ahead, now));
}

TimePoint Allowance::PacedAt(int ahead, TimePoint now, double reserve) const {
  return std::max(minute_.PacedAt(ahead, now, reserve), hour_.PacedAt(ahead, now, kOfHour));
}

Allowance::Taken Allowance::Take(TimePoint now) {
  minute_.Take(now);
  hour_.Take(now);
  ++unanswered_;
  return {minute_.number(), hour_.number()};
}

void Allowance::GiveBack(const Taken& taken) {
  --unanswered_;
  minute_.GiveBack(taken.minute);
  hour_.GiveBack(taken.hour);
}

void Allowance::Settle(const Taken& taken, int times, const RateLimitNotice& notice,
                       TimePoint now) {
  --unanswered_;
  for (int i = 1; i < times; ++i) {
    minute_.Take(now);
    hour_.Take(now);
  }
  minute_.Confirm(taken.minute, now);
  hour_.Confirm(taken.hour, now);
  if (notice.limit && *notice.limit > 0) minute_.Tell(*notice.limit);
  std::optional<TimePoint> end;
  if (notice.reset_in) {
    end = now + std::clamp(*notice.reset_in, seconds(0), kHourAtMost) + kRounding;
  }
  // The upstream speaks of the window that leaves less; its end tells which, unless it is near.
  const bool is_of_hour =
      notice.reset_in > kMinuteAtMost || (notice.reset && hour_.IsToldOf(*notice.reset));
  RateWindow& window = is_of_hour ? hour_ : minute_;
  if (notice.remaining && notice.reset) {
    window.Correct(*notice.remaining, unanswered_, *notice.reset, end, now);
  }
  if (!notice.is_refused) return;
  std::optional<TimePoint> until;
  if (notice.retry_after) until = now + std::max<Clock::duration>(*notice.retry_after, kRounding);
  // Nothing is known of a window; it is what the upstream's sample client waits.
  if (!until && !notice.reset && left() == RateWindow::kNoLimit) until = now + kRounding;
  (notice.retry_after > kMinuteAtMost ? hour_ : window).Exhaust(until, now);
}

}  // namespace idv
