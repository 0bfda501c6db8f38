#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>

#include "gateway/queue_parker.h"
#include "gateway/reading_turns.h"
#include "gateway/running_calls.h"
#include "upstream/loop/loop.h"
#include "upstream/upstream.h"

namespace idv {

// One thread's worth of the gateway: a completion queue, a loop and a client of the upstream, and
// every call that lands on that queue, from its first byte to its last. Used on the thread that
// calls Run(); from others only what
// says so, and Loop::Post().
class Shard {
 public:
  // Counts a call, or the wait for one, for as long as it lives: the queue is shut down when there
  // are none.
  class Presence {
   public:
    explicit Presence(Shard& shard) : shard_(shard) { ++shard_.present_; }
    ~Presence() {
      --shard_.present_;
      shard_.ShutDownIfDone();
    }
    Presence(const Presence&) = delete;
    Presence& operator=(const Presence&) = delete;

   private:
    Shard& shard_;
  };

  // Borrows the watcher.
  Shard(std::unique_ptr<grpc::ServerCompletionQueue> queue, Watcher& watcher,
        const Upstream::Options& upstream, Upstream::Reports reports);
  // It has run to its end, or never ran.
  ~Shard();

  Loop& loop() { return loop_; }
  grpc::ServerCompletionQueue& queue() { return *queue_; }
  Upstream& upstream() { return upstream_; }
  RunningCalls& running() { return running_; }
  // What runs for no call in particular, and ends when the gateway drains.
  RunningCalls& background() { return background_; }
  ReadingTurns& reading_turns() { return reading_turns_; }

  // Until Stop() was called and the last Presence has gone.
  void Run() { loop_.Run(); }

  // From any thread, once, when the server no longer takes calls.
  void Stop();

 private:
  void ShutDownIfDone();
  void ShutDownQueue();

  const std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  QueueParker parker_;
  Loop loop_;
  Upstream upstream_;
  ReadingTurns reading_turns_{loop_.timers()};
  RunningCalls running_;
  RunningCalls background_;
  int present_ = 0;
  bool stopping_ = false;
  bool shut_down_ = false;
};

}  // namespace idv
