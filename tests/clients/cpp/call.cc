#include "call.h"

#include <absl/status/status.h>
#include <grpcpp/support/error_details.h>

#include "google/rpc/status.pb.h"

Explanation Explain(const grpc::Status& failure) {
  Explanation explanation;
  google::rpc::Status status;
  if (!grpc::ExtractErrorDetails(failure, &status).ok()) return explanation;
  for (const auto& detail : status.details()) {
    // Each does nothing with a detail of another kind.
    detail.UnpackTo(&explanation.info);
    detail.UnpackTo(&explanation.bad_request);
    detail.UnpackTo(&explanation.retry);
  }
  return explanation;
}

// gRPC's codes are Abseil's, which have names.
std::string CodeName(const grpc::Status& status) {
  return absl::StatusCodeToString(static_cast<absl::StatusCode>(status.error_code()));
}
