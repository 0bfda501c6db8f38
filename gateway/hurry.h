#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace idv {

// Waits that another thread can cut short, for good. Thread-safe.
class Hurry {
 public:
  // Ends every wait, and those to come.
  void Now() {
    {
      const std::lock_guard lock(mutex_);
      hurried_ = true;
    }
    changed_.notify_all();
  }

  // True when it was, or has been, cut short.
  bool Wait(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, time, [this] { return hurried_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool hurried_ = false;  // protected by mutex_
};

}  // namespace idv
