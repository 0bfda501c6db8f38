#include "upstream/retry.h"

#include <absl/random/distributions.h>

#include <algorithm>
#include <cstdint>

namespace idv {

using std::chrono::milliseconds;

void RetryBudget::SetShare(double share) {
  const std::lock_guard lock(mutex_);
  share_ = share;
}

void RetryBudget::Earn() {
  const std::lock_guard lock(mutex_);
  saved_ = std::min(kMost, saved_ + share_);
}

bool RetryBudget::Spend() {
  const std::lock_guard lock(mutex_);
  // Five fifths are less than one.
  constexpr double kRounding = 1e-9;
  if (saved_ < 1 - kRounding) return false;
  saved_ -= 1;
  return true;
}

milliseconds BackoffAfter(int attempts, const RetryOptions& options, absl::BitGenRef random) {
  constexpr int kMostDoublings = 30;
  const int doublings = std::clamp(attempts - 1, 0, kMostDoublings);
  const int64_t most =
      std::min<int64_t>(options.base_delay.count() << doublings, options.max_delay.count());
  return milliseconds(absl::Uniform<int64_t>(absl::IntervalClosed, random, 0, most));
}

}  // namespace idv
