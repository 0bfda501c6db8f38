#pragma once

#include <chrono>
#include <random>

namespace idv {

// Lets two events meet whose ways take unknown times: says how much later the second one is to be
// started than the first, and learns from who came first. So both orders occur about equally
// often, however slow the machine is. For one thread.
class Meeting {
 public:
  using Duration = std::chrono::nanoseconds;

  // `delay`: the first guess. `spread`: how far a round may lie from what was learnt.
  Meeting(Duration delay, Duration spread, unsigned seed)
      : delay_(delay), spread_(spread), random_(seed) {}

  // For the next round; negative: the second one is to be started before the first.
  Duration Delay() {
    std::uniform_int_distribution<Duration::rep> around(-spread_.count(), spread_.count());
    return delay_ + Duration(around(random_));
  }

  void FirstWon() { delay_ -= spread_ / 16; }
  void SecondWon() { delay_ += spread_ / 16; }

 private:
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
