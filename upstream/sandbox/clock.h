#ifndef UPSTREAM_SANDBOX_CLOCK_H_
#define UPSTREAM_SANDBOX_CLOCK_H_

#include <chrono>
#include <functional>
#include <utility>

#include "upstream/sandbox/timestamps.h"

namespace idv::sandbox {

// The machine's clock, and how far tests have moved ahead of it, so that they need not wait for
// what happens by itself: expiry, slow scoring, the end of a rate limit's window. Delays of faults
// are not moved. For one thread.
class Clock {
 public:
  Time Now() const { return std::chrono::system_clock::now() + ahead_; }
  std::chrono::milliseconds ahead() const { return ahead_; }

  void Advance(std::chrono::milliseconds by) { Move(ahead_ + by); }
  // Back to the machine's time.
  void Reset() { Move({}); }

  // Calls it after every move.
  void WhenMoved(std::function<void()> moved) { moved_ = std::move(moved); }

 private:
  void Move(std::chrono::milliseconds ahead) {
    ahead_ = ahead;
    if (moved_) moved_();
  }

  std::chrono::milliseconds ahead_{0};
  std::function<void()> moved_;
};

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_CLOCK_H_
