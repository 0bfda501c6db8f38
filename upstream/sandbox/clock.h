#ifndef UPSTREAM_SANDBOX_CLOCK_H_
#define UPSTREAM_SANDBOX_CLOCK_H_

#include <chrono>

#include "upstream/sandbox/timestamps.h"

namespace idv::sandbox {

// The machine's clock, and how far tests have moved ahead of it, so that they need not wait for
// what happens by itself: expiry, slow scoring, the end of a rate limit's window. Delays of faults
// are not moved. For one thread.
class Clock {
 public:
  Time Now() const { return std::chrono::system_clock::now() + ahead_; }
  std::chrono::milliseconds ahead() const { return ahead_; }

  void Advance(std::chrono::milliseconds by) { ahead_ += by; }
  // Back to the machine's time.
  void Reset() { ahead_ = {}; }

 private:
  std::chrono::milliseconds ahead_{0};
};

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_CLOCK_H_
