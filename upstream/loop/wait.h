#pragma once

#include "upstream/loop/cancellation.h"
#include "upstream/loop/event.h"
#include "upstream/loop/loop.h"
#include "upstream/loop/task.h"
#include "upstream/loop/timers.h"

namespace idv {

// Waits until `is_over` holds, of which `changed` tells; no longer than until `deadline`, or until
// `cancel` fires. Borrows all but the condition. For the loop's thread.
template <typename Condition>
Task<> WaitFor(Condition is_over, Event& changed, TimePoint deadline, Loop& loop,
               Cancellation& cancel) {
  if (cancel.fired()) co_return;
  bool is_given_up = false;
  const auto give_up = [&] {
    is_given_up = true;
    changed.Set();
  };
  const Cancellation::Listener on_cancel(cancel, give_up);
  Timer on_deadline(loop.timers(), give_up);
  on_deadline.Set(deadline);
  while (!is_over() && !is_given_up) co_await changed;
}

}  // namespace idv
