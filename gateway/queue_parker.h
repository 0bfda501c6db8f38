#pragma once

#include <grpcpp/alarm.h>
#include <grpcpp/grpcpp.h>

#include <mutex>

#include "gateway/completion.h"
#include "upstream/loop/parker.h"

namespace idv {

// Parks a loop in a gRPC completion queue, whose tags are Completions. Woken by an alarm on the
// same queue.
class QueueParker final : public Parker {
 public:
  // Borrows the queue.
  explicit QueueParker(grpc::CompletionQueue& queue) : queue_(queue), wake_(*this) {}

  Result Poll() override;
  Result Park(TimePoint until) override;
  void Wake() override;

 private:
  // The alarm has come back: it may be set again.
  class WakeUp final : public Completion {
   public:
    explicit WakeUp(QueueParker& parker) : parker_(parker) {}
    void Complete(bool ok) override;

   private:
    QueueParker& parker_;
  };

  grpc::CompletionQueue& queue_;
  WakeUp wake_;

  // Held while the alarm is set, since setting one that is armed crashes, and so does setting it
  // from two threads.
  std::mutex mutex_;
  grpc::Alarm alarm_;   // protected by mutex_
  bool armed_ = false;  // protected by mutex_
};

}  // namespace idv
