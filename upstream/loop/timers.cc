#include "upstream/loop/timers.h"

#include <utility>
#include <vector>

namespace idv {

std::optional<TimePoint> Timers::Next() const {
  if (set_.empty()) return std::nullopt;
  return set_.begin()->first;
}

bool Timers::RunDue(TimePoint now) {
  bool any = false;
  // The bound: a timer that sets itself to a moment already past (curl asks for "now") would never
  // let this end.
  for (size_t left = set_.size(); left > 0 && !set_.empty(); --left) {
    const auto first = set_.begin();
    if (first->first > now) break;
    Timer* const timer = first->second;
    timer->Cancel();
    timer->on_due_();
    any = true;
  }
  return any;
}

Timer::Timer(Timers& timers, std::function<void()> on_due)
    : timers_(timers), on_due_(std::move(on_due)) {}

Timer::~Timer() { Cancel(); }

void Timer::Set(TimePoint when) {
  Cancel();
  place_ = timers_.set_.emplace(when, this);
}

void Timer::Cancel() {
  if (place_) timers_.set_.erase(*place_);
  place_.reset();
}

}  // namespace idv
