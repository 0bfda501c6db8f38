#include "gateway/verify/failure.h"

#include <absl/status/status.h>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace idv::verify {
namespace {

using std::chrono::milliseconds;

// The numbers of gRPC's codes and Abseil's are the same.
std::string CodeName(grpc::StatusCode code) {
  const auto name = absl::StatusCodeToString(static_cast<absl::StatusCode>(code));
  return name.empty() ? "code " + std::to_string(static_cast<int>(code)) : name;
}

void Read(const google::rpc::ErrorInfo& info, Failure& failure) {
  failure.reason = info.reason();
  failure.domain = info.domain();
  failure.metadata = {info.metadata().begin(), info.metadata().end()};
}

void Read(const google::rpc::BadRequest& request, Failure& failure) {
  for (const auto& violation : request.field_violations()) {
    failure.violations.push_back({violation.field(), violation.description()});
  }
}

void Read(const google::rpc::RetryInfo& retry, Failure& failure) {
  const auto& delay = retry.retry_delay();
  failure.retry_after = milliseconds(delay.seconds() * 1000 + delay.nanos() / 1'000'000);
}

template <typename Detail>
void ReadIf(const google::protobuf::Any& any, Failure& failure) {
  Detail detail;
  if (any.Is<Detail>() && any.UnpackTo(&detail)) Read(detail, failure);
}

std::string Trailer(const grpc::ClientContext& context, const std::string& name) {
  const auto& trailers = context.GetServerTrailingMetadata();
  const auto found = trailers.find(name);
  return found == trailers.end() ? "" : std::string(found->second.data(), found->second.size());
}

}  // namespace

Failure Explain(const grpc::Status& status, const grpc::ClientContext& context) {
  Failure failure;
  failure.code = CodeName(status.error_code());
  failure.message = status.error_message();
  google::rpc::Status details;
  if (details.ParseFromString(status.error_details())) {
    for (const auto& any : details.details()) {
      ReadIf<google::rpc::ErrorInfo>(any, failure);
      ReadIf<google::rpc::BadRequest>(any, failure);
      ReadIf<google::rpc::RetryInfo>(any, failure);
    }
  }
  failure.request_id = Trailer(context, "x-request-id");
  if (const auto id = failure.metadata.extract("request_id"); !id.empty()) {
    failure.request_id = id.mapped();
  }
  return failure;
}

}  // namespace idv::verify
