#pragma once

#include <coroutine>
#include <utility>

#include <grpcpp/grpcpp.h>

#include "upstream/loop/cancellation.h"

namespace idv {

// What a tag of a gRPC completion queue points to.
class Completion {
 public:
  Completion() = default;
  virtual ~Completion() = default;
  // A copy would wait for a tag that never reaches it.
  Completion(const Completion&) = delete;
  Completion& operator=(const Completion&) = delete;

  // The operation has ended; `ok` is the queue's word for it. On the queue's thread.
  virtual void Complete(bool ok) = 0;

  void* tag() { return this; }
  static Completion& FromTag(void* tag) { return *static_cast<Completion*>(tag); }
};

// One operation at a time on a call: start it with tag(), then await the object. The result is the
// queue's `ok`. It must live until the tag has come back.
class Operation : public Completion {
 public:
  void Complete(bool ok) override {
    ok_ = ok;
    done_ = true;
    if (waiter_) std::exchange(waiter_, nullptr).resume();
  }

  bool await_ready() const { return done_; }
  void await_suspend(std::coroutine_handle<> waiter) { waiter_ = waiter; }
  bool await_resume() {
    done_ = false;
    return ok_;
  }

 private:
  bool ok_ = false;
  bool done_ = false;
  std::coroutine_handle<> waiter_;
};

// Learns the end of a call from gRPC and fires `cancellation` if the caller gave up: cancelled,
// disconnected, or past its deadline. Give tag() to AsyncNotifyWhenDone() before the call is
// requested, and await it before the call is freed; the tag comes only for a call that was matched.
// It is awaited itself: g++ 12 copies what an operator co_await returns by reference, and then
// waits for the copy.
class CallDone final : public Operation {
 public:
  CallDone(const grpc::ServerContext& context, Cancellation& cancellation)
      : context_(context), cancellation_(cancellation) {}

  void Complete(bool ok) override {
    if (context_.IsCancelled()) cancellation_.Fire();
    Operation::Complete(ok);
  }

 private:
  const grpc::ServerContext& context_;
  Cancellation& cancellation_;
};

}  // namespace idv
