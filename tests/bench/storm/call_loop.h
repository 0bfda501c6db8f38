#pragma once

#include <grpcpp/alarm.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>

#include "tests/bench/measurement.h"
#include "tests/e2e/call.h"

namespace idv::bench::storm {

// What all lines of a thread wait for, at one completion queue. For one thread, as the lines are.
class CallLoop {
 public:
  CallLoop() = default;
  // No line may have anything under way.
  ~CallLoop();
  CallLoop(const CallLoop&) = delete;
  CallLoop& operator=(const CallLoop&) = delete;

  // Goes on with the lines as their calls and waits end, until `until` or until none has any.
  void RunUntil(TimePoint until);
  // The same without an end.
  void Run();

 private:
  friend class Line;

  grpc::CompletionQueue queue_;
  size_t under_way_ = 0;
};

struct Request {
  const char* rpc;  // "/package.Service/Method"
  grpc::ByteBuffer message;
};

struct Answer {
  e2e::Outcome outcome;
  grpc::ByteBuffer message;  // of an OK
};

// Makes one call, or waits, at a time.
class Line {
 public:
  // Borrows the loop.
  Line(CallLoop& loop, std::shared_ptr<grpc::Channel> channel)
      : loop_(loop), channel_(std::move(channel)) {}
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  // `then` may start the next call or wait.
  void Call(const Request& request, const e2e::CallOptions& options,
            std::function<void(const Answer&)> then);
  void Wait(Clock::duration duration, std::function<void()> then);
  // Ends the call under way, if there is one, with CANCELLED.
  void Cancel();

 private:
  friend class CallLoop;
  struct Running {
    grpc::ClientContext context;
    std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
    Answer answer;
    grpc::Status status;
  };

  // What it waited for has come.
  void Continue();

  CallLoop& loop_;
  const std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<Running> call_;
  std::optional<grpc::Alarm> alarm_;
  std::function<void()> then_;
};

}  // namespace idv::bench::storm
