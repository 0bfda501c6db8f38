#pragma once

#include "upstream/loop/timers.h"

namespace idv {

// How a loop waits, and what else is ready on its thread besides file descriptors and timers: for
// the gateway a gRPC completion queue.
class Parker {
 public:
  enum class Result { kIdle, kWorked, kShutDown };

  virtual ~Parker() = default;

  // Runs what is ready, without waiting. kShutDown: nothing will ever be ready again. On the loop's
  // thread.
  virtual Result Poll() = 0;

  // Waits until something is ready and runs it, or until `until`, or until Wake(). On the loop's
  // thread.
  virtual Result Park(TimePoint until) = 0;

  // Ends a Park() that runs now or, if none does, the next one. From any thread, but not after the
  // parker was told to shut down.
  virtual void Wake() = 0;
};

}  // namespace idv
