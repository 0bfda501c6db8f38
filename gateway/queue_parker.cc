#include "gateway/queue_parker.h"

#include <algorithm>
#include <chrono>

namespace idv {
namespace {

// Tags handled before the loop's other sources get their turn.
constexpr int kMaxTagsPerTurn = 64;

gpr_timespec ToGpr(TimePoint when) {
  const auto wait = std::max(when - Clock::now(), Clock::duration::zero());
  return gpr_time_add(
      gpr_now(GPR_CLOCK_MONOTONIC),
      gpr_time_from_nanos(std::chrono::duration_cast<std::chrono::nanoseconds>(wait).count(),
                          GPR_TIMESPAN));
}

// A call that belongs to the queue, of a channel that leads nowhere.
grpc_call* CallOn(grpc::CompletionQueue& queue) {
  grpc_channel* const channel =
      grpc_lame_client_channel_create("nowhere", GRPC_STATUS_UNAVAILABLE, "never sent");
  grpc_call* const call = grpc_channel_create_call(
      channel, nullptr, GRPC_PROPAGATE_DEFAULTS, queue.cq(), grpc_slice_from_static_string("/"),
      nullptr, gpr_inf_future(GPR_CLOCK_MONOTONIC), nullptr);
  grpc_channel_destroy(channel);  // the call keeps it
  return call;
}

}  // namespace

QueueParker::QueueParker(grpc::CompletionQueue& queue)
    : queue_(queue), wake_(*this), call_(CallOn(queue)) {}

QueueParker::~QueueParker() { grpc_call_unref(call_); }

Parker::Result QueueParker::Poll() {
  Result result = Result::kIdle;
  for (int i = 0; i < kMaxTagsPerTurn; ++i) {
    void* tag = nullptr;
    bool ok = false;
    switch (queue_.AsyncNext(&tag, &ok, gpr_inf_past(GPR_CLOCK_MONOTONIC))) {
      case grpc::CompletionQueue::GOT_EVENT:
        Completion::FromTag(tag).Complete(ok);
        result = Result::kWorked;
        break;
      case grpc::CompletionQueue::TIMEOUT:
        return result;
      case grpc::CompletionQueue::SHUTDOWN:
        return Result::kShutDown;
    }
  }
  return result;
}

Parker::Result QueueParker::Park(TimePoint until) {
  void* tag = nullptr;
  bool ok = false;
  switch (queue_.AsyncNext(&tag, &ok, ToGpr(until))) {
    case grpc::CompletionQueue::GOT_EVENT:
      Completion::FromTag(tag).Complete(ok);
      return Result::kWorked;
    case grpc::CompletionQueue::TIMEOUT:
      return Result::kIdle;
    case grpc::CompletionQueue::SHUTDOWN:
      return Result::kShutDown;
  }
  return Result::kIdle;
}

void QueueParker::Wake() {
  const std::lock_guard lock(mutex_);
  if (is_wake_under_way_) return;
  // What gRPC is given as a tag, it takes for one of its own.
  grpc::internal::CompletionQueueTag* const tag = &wake_;
  is_wake_under_way_ = grpc_call_start_batch(call_, nullptr, 0, tag, nullptr) == GRPC_CALL_OK;
}

bool QueueParker::WakeUp::FinalizeResult(void** tag, bool*) {
  *tag = this->tag();
  return true;
}

void QueueParker::WakeUp::Complete(bool) {
  const std::lock_guard lock(parker_.mutex_);
  parker_.is_wake_under_way_ = false;
}

}  // namespace idv
