#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "gateway/verify/failure.h"
#include "gateway/verify/options.h"

namespace idv::verify {

// What came of one call, and how long it took.
template <typename Message>
struct Reply {
  Message message;
  std::optional<Failure> failure;
  std::chrono::milliseconds took{};
};

// Makes calls in the caller's name until the time of --timeout is over, counted from construction.
// Knows nothing of what is called. Borrows the options.
class Session {
 public:
  Session(const Options& options, std::shared_ptr<grpc::Channel> channel);

  // Calls one method of `Service` and waits for its end, at most as long as there is time.
  template <typename Service, typename Request, typename Message>
  Reply<Message> Call(grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Request&,
                                                            Message*),
                      const Request& request) const {
    return Converse<Message>([&](const auto& channel, auto& context, Message& message) {
      return (Service::NewStub(channel).get()->*method)(&context, request, &message);
    });
  }

  // The same for a call that is more than a request and an answer: `talk(channel, context,
  // message)` makes it, fills in the answer and returns how it ended.
  template <typename Message, typename Talk>
  Reply<Message> Converse(const Talk& talk) const {
    Reply<Message> reply;
    grpc::ClientContext context;
    Prepare(context);
    const auto start = Clock::now();
    const grpc::Status status = talk(channel_, context, reply.message);
    reply.took = Since(start);
    if (!status.ok()) reply.failure = ExplainHere(status, context);
    return reply;
  }

  // Nothing once the gateway is connected, else that it is not and why. Waits for it a short while.
  std::optional<Failure> Connect() const;

  std::chrono::nanoseconds Remaining() const;
  std::chrono::milliseconds Elapsed() const { return Since(start_); }
  // That the time is over, with what is still wanting.
  Failure OutOfTime(const std::string& wanting) const;

 private:
  using Clock = std::chrono::steady_clock;

  static std::chrono::milliseconds Since(Clock::time_point start) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
  }
  void Prepare(grpc::ClientContext& context) const;
  Failure ExplainHere(const grpc::Status& status, const grpc::ClientContext& context) const;

  const Options& options_;
  const std::shared_ptr<grpc::Channel> channel_;
  const Clock::time_point start_ = Clock::now();
};

}  // namespace idv::verify
