#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "upstream/loop/parker.h"

namespace idv {

// A parker that brings nothing of its own: the loop runs descriptors, timers and posted work until
// ShutDown().
class SimpleParker final : public Parker {
 public:
  Result Poll() override {
    const std::lock_guard lock(mutex_);
    return shut_down_ ? Result::kShutDown : Result::kIdle;
  }

  Result Park(TimePoint until) override {
    std::unique_lock lock(mutex_);
    ++parked_;
    changed_.wait_until(lock, until, [this] { return woken_ || shut_down_; });
    woken_ = false;
    return shut_down_ ? Result::kShutDown : Result::kIdle;
  }

  void Wake() override {
    const std::lock_guard lock(mutex_);
    EXPECT_FALSE(shut_down_) << "nobody may wake a parker that is shut down";
    woken_ = true;
    changed_.notify_one();
  }

  void ShutDown() {
    const std::lock_guard lock(mutex_);
    shut_down_ = true;
    changed_.notify_one();
  }

  // How often the loop had nothing to do.
  int parked() {
    const std::lock_guard lock(mutex_);
    return parked_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
  bool shut_down_ = false;
  int parked_ = 0;
};

}  // namespace idv
