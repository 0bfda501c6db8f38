#include "tests/chaos/async_calls.h"

#include <grpcpp/alarm.h>
#include <grpcpp/generic/generic_stub.h>

#include <utility>

namespace idv::chaos {

using std::chrono::steady_clock;

struct AsyncCalls::Running {
  explicit Running(OnEnd at_end) : on_end(std::move(at_end)) {}

  const OnEnd on_end;
  grpc::ClientContext context;
  grpc::ByteBuffer response;
  grpc::Status status;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
  grpc::Alarm cancel;
  Tag finish_tag{this, false};
  Tag cancel_tag{this, true};
  int tags_out = 1;
  steady_clock::time_point start = steady_clock::now();
};

AsyncCalls::AsyncCalls() : collector_([this] { Collect(); }) {}

AsyncCalls::~AsyncCalls() {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [call, owner] : calls_) call->context.TryCancel();
  }
  AwaitAtMost(0);
  queue_.Shutdown();
  collector_.join();
}

void AsyncCalls::Start(const UnaryCall& call, OnEnd on_end) {
  const std::lock_guard lock(mutex_);
  auto owner = std::make_unique<Running>(std::move(on_end));
  Running* const running = owner.get();
  calls_.emplace(running, std::move(owner));
  e2e::Prepare(call.options, running->context);
  // Before the call, whose end is what the alarm is called off at.
  if (call.cancel_after) {
    ++running->tags_out;
    running->cancel.Set(&queue_, std::chrono::system_clock::now() + *call.cancel_after,
                        &running->cancel_tag);
  }
  grpc::GenericStub stub(call.channel);
  running->reader = stub.PrepareUnaryCall(&running->context, call.rpc, call.request, &queue_);
  running->reader->StartCall();
  running->reader->Finish(&running->response, &running->status, &running->finish_tag);
}

void AsyncCalls::AwaitAtMost(size_t under_way) {
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [&] { return calls_.size() <= under_way; });
}

bool AsyncCalls::AwaitAtMost(size_t under_way, std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return ended_.wait_for(lock, limit, [&] { return calls_.size() <= under_way; });
}

void AsyncCalls::Collect() {
  void* place = nullptr;
  bool ok = false;
  while (queue_.Next(&place, &ok)) {
    // Start() is through with it.
    std::unique_lock(mutex_).unlock();
    const Tag& tag = *static_cast<const Tag*>(place);
    Running* const call = tag.call;
    if (tag.is_cancel) {
      call->context.TryCancel();
    } else {
      const auto took = steady_clock::now() - call->start;
      call->cancel.Cancel();
      call->on_end({e2e::Outcome::Of(call->status, call->context), call->response,
                    call->context.peer(),
                    std::chrono::duration_cast<std::chrono::microseconds>(took)});
    }
    if (--call->tags_out == 0) Forget(call);
  }
}

void AsyncCalls::Forget(Running* call) {
  {
    const std::lock_guard lock(mutex_);
    calls_.erase(call);
  }
  ended_.notify_all();
}

}  // namespace idv::chaos
