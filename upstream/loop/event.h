#pragma once

#include <coroutine>
#include <utility>

#include "upstream/loop/loop.h"

namespace idv {

// Tells one waiting coroutine at a time that something has changed: await the object, then look
// what it was. Set() ends the wait under way, or else the next one; the coroutine goes on in a turn
// of the loop, never within Set(). For the loop's thread.
class Event {
 public:
  // Borrows the loop.
  explicit Event(Loop& loop) : loop_(loop) {}
  // A copy would wait for what only the original is told.
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void Set() {
    if (waiter_) {
      loop_.Resume(std::exchange(waiter_, nullptr));
    } else {
      is_set_ = true;
    }
  }

  bool await_ready() { return std::exchange(is_set_, false); }
  void await_suspend(std::coroutine_handle<> waiter) { waiter_ = waiter; }
  void await_resume() const {}

 private:
  Loop& loop_;
  std::coroutine_handle<> waiter_;
  bool is_set_ = false;
};

}  // namespace idv
