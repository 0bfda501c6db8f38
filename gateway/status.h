#pragma once

#include <absl/status/status.h>
#include <absl/strings/string_view.h>
#include <grpcpp/grpcpp.h>

namespace idv {

// The gRPC status of a failed call: code, message and google.rpc.Status details (ErrorInfo,
// BadRequest, RetryInfo). Bounded, since a status over about 7.6 kB reaches the caller as another
// error: the message is at most 512 printable ASCII characters, all details 3 KiB (violations at
// the end are left out).
grpc::Status ToGrpc(const absl::Status& failure, absl::string_view request_id, int attempts);

// Tells gRPC clients that retry by themselves when to do so, or not to: the trailer
// `grpc-retry-pushback-ms`, where the failure says anything of it.
void AddRetryPushback(const absl::Status& failure, grpc::ServerContext& context);

}  // namespace idv
