#pragma once

#include <google/rpc/error_details.pb.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace idv::e2e {

using Metadata = std::multimap<std::string, std::string>;

struct CallOptions {
  Metadata metadata;
  std::chrono::milliseconds timeout = std::chrono::seconds(20);
};

// How a call ended, with the google.rpc.Status details unpacked.
struct Outcome {
  // `context`: of the call that has ended with `status`.
  static Outcome Of(grpc::Status status, const grpc::ClientContext& context);

  bool ok() const { return status.ok(); }
  std::string reason() const { return info.reason(); }
  // A trailer that must be there once; nothing if it is not.
  std::optional<std::string> Trailer(const std::string& name) const;

  grpc::Status status;
  bool has_details = false;
  google::rpc::ErrorInfo info;
  std::optional<google::rpc::BadRequest> bad_request;
  std::optional<google::rpc::RetryInfo> retry_info;
  Metadata trailers;
};

void PrintTo(const Outcome& outcome, std::ostream* out);

template <typename Response>
struct Reply : Outcome {
  Response response;
};

void Prepare(const CallOptions& options, grpc::ClientContext& context);

// Calls over one connection and waits for the answers.
class Client {
 public:
  explicit Client(std::shared_ptr<grpc::Channel> channel) : channel_(std::move(channel)) {}

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

  // `rpc`: for example &VerificationService::Stub::GetVerification.
  template <typename Stub, typename Request, typename Response>
  Reply<Response> Call(grpc::Status (Stub::*rpc)(grpc::ClientContext*, const Request&, Response*),
                       const Request& request, const CallOptions& options = {}) const {
    Stub stub(channel_);
    grpc::ClientContext context;
    Prepare(options, context);
    Response response;
    const grpc::Status status = (stub.*rpc)(&context, request, &response);
    return {Outcome::Of(status, context), std::move(response)};
  }

  // Sends these very bytes as the message of the unary RPC "/package.Service/Method".
  Outcome CallRaw(const std::string& rpc, const std::string& bytes,
                  const CallOptions& options = {}) const;

 private:
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace idv::e2e
