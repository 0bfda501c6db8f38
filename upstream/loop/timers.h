#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>

namespace idv {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;

class Timer;

// The timers of one loop, by the time at which they are due. Knows no clock: RunDue() is told the
// time. For one thread; must outlive its timers.
class Timers {
 public:
  // When the next timer is due, if one is set.
  std::optional<TimePoint> Next() const;

  // Fires the timers due at `now`, earliest first, and at most as many as were set when it was
  // called. True if there was one.
  bool RunDue(TimePoint now);

 private:
  friend Timer;
  std::multimap<TimePoint, Timer*> set_;
};

// Calls `on_due` once, some time after the moment it was set to. Cancelled when destroyed; `on_due`
// must not destroy the timer itself.
class Timer {
 public:
  Timer(Timers& timers, std::function<void()> on_due);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Replaces what was set before.
  void Set(TimePoint when);
  void Cancel();

 private:
  friend Timers;
  Timers& timers_;
  const std::function<void()> on_due_;
  std::optional<std::multimap<TimePoint, Timer*>::iterator> place_;
};

}  // namespace idv
