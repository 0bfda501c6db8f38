#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace idv::verify {

// Why a call failed, with everything that the gateway said about it. Empty means not said.
struct Failure {
  struct Violation {
    std::string field;
    std::string description;
  };

  std::string code;  // as in NOT_FOUND
  std::string message;
  std::string reason;  // of google.rpc.ErrorInfo, as are the next two
  std::string domain;
  std::map<std::string, std::string> metadata;
  std::vector<Violation> violations;  // of google.rpc.BadRequest
  std::optional<std::chrono::milliseconds> retry_after;
  std::string request_id;
  std::optional<int> frames_sent;  // of a stream of frames, before it failed
};

// Reads what a failed call brought: its status, the google.rpc.Status in it, and the trailers of
// `context`.
Failure Explain(const grpc::Status& status, const grpc::ClientContext& context);

}  // namespace idv::verify
