#pragma once

#include <functional>
#include <future>
#include <thread>
#include <utility>

#include "tests/upstream/loop/simple_parker.h"
#include "upstream/loop/loop.h"
#include "upstream/loop/task.h"

namespace idv {

// A loop on a thread of its own, stopped when this goes.
class RunningLoop {
 public:
  RunningLoop() : loop_(parker_, watcher_), thread_([this] { loop_.Run(); }) {}
  ~RunningLoop() { Stop(); }
  RunningLoop(const RunningLoop&) = delete;
  RunningLoop& operator=(const RunningLoop&) = delete;

  Loop& loop() { return loop_; }
  SimpleParker& parker() { return parker_; }
  std::thread& thread() { return thread_; }

  void Stop() {
    if (!thread_.joinable()) return;
    loop_.Close();
    parker_.ShutDown();
    thread_.join();
  }

  // Runs `work` on the loop's thread and waits for it.
  template <typename Work>
  auto Do(Work work) {
    using Result = decltype(work());
    std::packaged_task<Result()> task(std::move(work));
    auto result = task.get_future();
    loop_.Post([&task] { task(); });
    return result.get();
  }

 private:
  SimpleParker parker_;
  Watcher watcher_;
  Loop loop_;
  std::thread thread_;
};

}  // namespace idv
