#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "tests/e2e/call.h"

namespace idv::chaos {

// A call of a unary RPC.
struct UnaryCall {
  std::shared_ptr<grpc::Channel> channel;
  std::string rpc;  // "/package.Service/Method"
  grpc::ByteBuffer request;
  e2e::CallOptions options = {};
  // Then it is cancelled, if it has not ended.
  std::optional<std::chrono::milliseconds> cancel_after = std::nullopt;
};

// How a call ended.
struct Ending {
  e2e::Outcome outcome;
  grpc::ByteBuffer response;
  std::string peer;  // the address that answered: "ipv4:127.0.0.1:PORT"
  std::chrono::microseconds took{0};
};

// Makes calls without waiting for their answers. Thread-safe, the destructor apart.
class AsyncCalls {
 public:
  // On a thread that all calls share: it must not take long, nor start calls.
  using OnEnd = std::function<void(const Ending& ending)>;

  AsyncCalls();
  // Cancels what is under way.
  ~AsyncCalls();
  AsyncCalls(const AsyncCalls&) = delete;
  AsyncCalls& operator=(const AsyncCalls&) = delete;

  // `on_end` is run once.
  void Start(const UnaryCall& call, OnEnd on_end);

  // Returns when no more calls than these are under way.
  void AwaitAtMost(size_t under_way);
  // The same, but false when `limit` has passed before.
  bool AwaitAtMost(size_t under_way, std::chrono::milliseconds limit);

 private:
  struct Running;
  // What comes back from the queue for a call.
  struct Tag {
    Running* call;
    bool is_cancel;  // the time to cancel has come; else the call has ended
  };

  void Collect();
  void Forget(Running* call);

  grpc::CompletionQueue queue_;

  std::mutex mutex_;
  std::condition_variable ended_;                       // some call has
  std::map<Running*, std::unique_ptr<Running>> calls_;  // protected by mutex_

  std::thread collector_;
};

}  // namespace idv::chaos
