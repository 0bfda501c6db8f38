#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "upstream/loop/loop.h"

namespace idv {

// Asks each shard's loop for an echo once a second, so that one that is stuck is noticed. It has a
// thread of its own. beats() is thread-safe.
class Pulse {
 public:
  // A loop that has not answered for so long is stalled: nothing that a shard does at a time takes
  // a hundredth of it.
  static constexpr std::chrono::seconds kStalledAfter{10};

  struct Beat {
    // When it last answered; when the pulse began, if it never has.
    std::chrono::system_clock::time_point answered_at;
    // How long that took, or has taken so far, if that is more.
    std::chrono::nanoseconds lag{};
    bool is_stalled() const { return lag >= kStalledAfter; }
  };

  // Borrows the loops. `on_tick` is called once a second, on the pulse's thread.
  Pulse(const std::vector<Loop*>& loops, std::function<void()> on_tick);
  // Loops need not run any more.
  ~Pulse();
  Pulse(const Pulse&) = delete;
  Pulse& operator=(const Pulse&) = delete;

  // In the order of the loops.
  std::vector<Beat> beats() const;

 private:
  // Of one loop; shared with what is posted to it.
  struct Heart {
    mutable std::mutex mutex;
    // Protected by mutex:
    Beat last;
    bool is_asked = false;
    TimePoint asked_at;
  };

  void Run();
  static void Ask(Loop& loop, const std::shared_ptr<Heart>& heart);

  const std::vector<Loop*> loops_;
  const std::function<void()> on_tick_;
  std::vector<std::shared_ptr<Heart>> hearts_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_stopping_ = false;  // protected by mutex_
  std::thread thread_;
};

}  // namespace idv
