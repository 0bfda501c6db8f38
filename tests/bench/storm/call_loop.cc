#include "tests/bench/storm/call_loop.h"

#include <utility>

namespace idv::bench::storm {
namespace {

// gRPC waits by the other clock.
std::chrono::system_clock::time_point OnSystemClock(TimePoint when) {
  return std::chrono::system_clock::now() +
         std::chrono::duration_cast<std::chrono::system_clock::duration>(when - Clock::now());
}

}  // namespace

CallLoop::~CallLoop() {
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
  }
}

void CallLoop::RunUntil(TimePoint until) {
  const auto end = OnSystemClock(until);
  void* tag = nullptr;
  bool ok = false;
  while (under_way_ > 0 && queue_.AsyncNext(&tag, &ok, end) == grpc::CompletionQueue::GOT_EVENT) {
    --under_way_;
    static_cast<Line*>(tag)->Continue();
  }
}

void CallLoop::Run() { RunUntil(Clock::now() + std::chrono::hours(24)); }

void Line::Call(const Request& request, const e2e::CallOptions& options,
                std::function<void(const Answer&)> then) {
  call_ = std::make_unique<Running>();
  e2e::Prepare(options, call_->context);
  then_ = [this, then = std::move(then)] {
    const std::unique_ptr<Running> ended = std::move(call_);
    ended->answer.outcome = e2e::Outcome::Of(ended->status, ended->context);
    then(ended->answer);
  };
  ++loop_.under_way_;
  call_->reader = grpc::GenericStub(channel_).PrepareUnaryCall(&call_->context, request.rpc,
                                                               request.message, &loop_.queue_);
  call_->reader->StartCall();
  call_->reader->Finish(&call_->answer.message, &call_->status, this);
}

void Line::Wait(Clock::duration duration, std::function<void()> then) {
  then_ = std::move(then);
  ++loop_.under_way_;
  alarm_.emplace();
  alarm_->Set(&loop_.queue_, OnSystemClock(Clock::now() + duration), this);
}

void Line::Cancel() {
  if (call_) call_->context.TryCancel();
}

void Line::Continue() { std::exchange(then_, nullptr)(); }

}  // namespace idv::bench::storm
