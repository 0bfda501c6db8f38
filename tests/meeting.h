#pragma once

#include <algorithm>
#include <chrono>
#include <random>

namespace idv {

// Lets two events meet whose ways take unknown times: says how much later the second one is to be
// started than the first, and learns from who came first. So both orders occur about equally
// often, however slow the machine is. For one thread.
class Meeting {
 public:
  using Duration = std::chrono::nanoseconds;

  // `delay`: the first guess. `spread`: how far a round may lie from what has been learnt.
  Meeting(Duration delay, Duration spread, unsigned seed)
      : first_guess_(delay), delay_(delay), spread_(spread), random_(seed) {}

  // For the next round; negative: the second one is to be started before the first.
  Duration Delay() {
    std::uniform_real_distribution<double> around(-1, 1);
    const double x = around(random_);
    // Most rounds lie close to the moment, and few far off.
    return delay_ + std::chrono::duration_cast<Duration>(spread_ * (x * x * x));
  }

  void FirstWon() { Learn(-spread_ / 16); }
  void SecondWon() { Learn(spread_ / 16); }

 private:
  // Bounded, so that some rounds in which one of them was kept waiting are soon made up for.
  void Learn(Duration change) {
    delay_ = std::clamp(delay_ + change, first_guess_ - 32 * spread_, first_guess_ + 32 * spread_);
  }

  const Duration first_guess_;
  Duration delay_;
  const Duration spread_;
  std::minstd_rand random_;
};

// Passes the time without giving up the processor: a sleep would be too coarse to meet a moment.
inline void SpinFor(std::chrono::nanoseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) {
  }
}

}  // namespace idv
