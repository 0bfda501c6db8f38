#include "gateway/status.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <string>

#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>

#include "upstream/failure.h"

namespace idv {
namespace {

constexpr size_t kMaxMessageBytes = 512;
constexpr size_t kMaxDetailsBytes = 3072;

google::rpc::ErrorInfo ToErrorInfo(const Failure& failure, absl::string_view request_id,
                                   int attempts) {
  google::rpc::ErrorInfo info;
  info.set_domain("idv-gateway");
  info.set_reason(failure.reason);
  auto& metadata = *info.mutable_metadata();
  metadata["attempts"] = std::to_string(attempts);
  metadata["blame"] = std::string(NameOf(failure.blame));
  metadata["request_id"] = std::string(request_id);
  if (failure.http_status != 0) metadata["http_status"] = std::to_string(failure.http_status);
  if (!failure.upstream_code.empty()) metadata["upstream_code"] = failure.upstream_code;
  return info;
}

// As many violations as fit into `max_bytes`.
google::rpc::BadRequest ToBadRequest(const Failure& failure, size_t max_bytes) {
  google::rpc::BadRequest bad_request;
  for (const Failure::Violation& violation : failure.violations) {
    auto* const added = bad_request.add_field_violations();
    added->set_field(violation.field);
    added->set_description(violation.description);
    if (bad_request.ByteSizeLong() > max_bytes) {
      bad_request.mutable_field_violations()->RemoveLast();
      break;
    }
  }
  return bad_request;
}

}  // namespace

grpc::Status ToGrpc(const absl::Status& failure, absl::string_view request_id, int attempts) {
  const Failure details = FailureOf(failure);
  const std::string message = Printable(failure.message(), kMaxMessageBytes);
  google::rpc::Status status;
  status.set_code(static_cast<int>(failure.code()));
  status.set_message(message);
  status.add_details()->PackFrom(ToErrorInfo(details, request_id, attempts));
  if (details.retry_after) status.add_details()->PackFrom(ToRetryInfo(*details.retry_after));
  if (!details.violations.empty()) {
    // What is left for the violations, less their own type name.
    constexpr size_t kTypeNameBytes = 64;
    const size_t left = kMaxDetailsBytes - status.ByteSizeLong() + message.size() - kTypeNameBytes;
    status.add_details()->PackFrom(ToBadRequest(details, left));
  }
  // absl::StatusCode and grpc::StatusCode share their numbers.
  return {static_cast<grpc::StatusCode>(failure.code()), message, status.SerializeAsString()};
}

void AddRetryPushback(const absl::Status& failure, grpc::ServerContext& context) {
  const Failure details = FailureOf(failure);
  if (details.never_retry) {
    context.AddTrailingMetadata("grpc-retry-pushback-ms", "-1");
  } else if (details.retry_after) {
    context.AddTrailingMetadata("grpc-retry-pushback-ms",
                                std::to_string(details.retry_after->count()));
  }
}

}  // namespace idv
