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

}  // namespace

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
  if (armed_) return;
  armed_ = true;
  alarm_.Set(&queue_, gpr_inf_past(GPR_CLOCK_MONOTONIC), wake_.tag());
}

void QueueParker::WakeUp::Complete(bool) {
  const std::lock_guard lock(parker_.mutex_);
  parker_.armed_ = false;
}

}  // namespace idv
