#include "call.h"

#include <absl/status/status.h>
#include <grpcpp/support/error_details.h>

#include "google/rpc/status.pb.h"

CallFailed::CallFailed(const grpc::Status& failure)
    : std::runtime_error(failure.error_message()), status(failure) {
  google::rpc::Status all;
  if (!grpc::ExtractErrorDetails(failure, &all).ok()) return;
  for (const auto& detail : all.details()) {
    // Each does nothing with a detail of another kind.
    detail.UnpackTo(&info);
    detail.UnpackTo(&bad_request);
    detail.UnpackTo(&retry);
  }
}

// gRPC's codes are Abseil's, which have names.
std::string CallFailed::Code() const {
  return absl::StatusCodeToString(static_cast<absl::StatusCode>(status.error_code()));
}
