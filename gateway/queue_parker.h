#pragma once

#include <grpc/grpc.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/completion_queue_tag.h>

#include <mutex>

#include "gateway/completion.h"
#include "upstream/loop/parker.h"

namespace idv {

// Parks a loop in a gRPC completion queue, whose tags are Completions. Woken by a tag that is put
// into the queue at once, from whatever thread wakes. (grpc::Alarm goes through two more threads of
// the library for that.)
class QueueParker final : public Parker {
 public:
  // Borrows the queue.
  explicit QueueParker(grpc::CompletionQueue& queue);
  ~QueueParker() override;
  QueueParker(const QueueParker&) = delete;
  QueueParker& operator=(const QueueParker&) = delete;

  Result Poll() override;
  Result Park(TimePoint until) override;
  void Wake() override;

 private:
  // The tag has come back: the next wake-up needs another one.
  class WakeUp final : public Completion, public grpc::internal::CompletionQueueTag {
   public:
    explicit WakeUp(QueueParker& parker) : parker_(parker) {}
    void Complete(bool ok) override;
    // What gRPC makes of the tag when it takes it out of the queue.
    bool FinalizeResult(void** tag, bool* ok) override;

   private:
    QueueParker& parker_;
  };

  grpc::CompletionQueue& queue_;
  WakeUp wake_;
  // Never sent. gRPC's contract: a batch of no operations of a call puts its tag into the call's
  // queue immediately.
  grpc_call* const call_;

  std::mutex mutex_;
  bool is_wake_under_way_ = false;  // protected by mutex_
};

}  // namespace idv
