#include "upstream/failure.h"

#include <absl/strings/ascii.h>
#include <absl/strings/cord.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

#include <google/rpc/error_details.pb.h>

namespace idv {
namespace {

constexpr size_t kMaxViolationBytes = 256;

constexpr absl::string_view kErrorInfo = "type.googleapis.com/google.rpc.ErrorInfo";
constexpr absl::string_view kBadRequest = "type.googleapis.com/google.rpc.BadRequest";
constexpr absl::string_view kRetryInfo = "type.googleapis.com/google.rpc.RetryInfo";
constexpr absl::string_view kNeverRetry = "idv-gateway/never-retry";
constexpr absl::string_view kHttpStatus = "http_status";
constexpr absl::string_view kUpstreamCode = "upstream_code";
constexpr absl::string_view kBlame = "blame";

void Attach(absl::Status& status, absl::string_view type, const google::protobuf::Message& detail) {
  status.SetPayload(type, absl::Cord(detail.SerializeAsString()));
}

template <typename Detail>
Detail Read(const absl::Status& status, absl::string_view type) {
  Detail detail;
  if (const auto payload = status.GetPayload(type)) detail.ParseFromString(std::string(*payload));
  return detail;
}

google::rpc::ErrorInfo ToErrorInfo(const Failure& failure) {
  google::rpc::ErrorInfo info;
  info.set_reason(failure.reason);
  auto& metadata = *info.mutable_metadata();
  metadata[std::string(kBlame)] = std::string(NameOf(failure.blame));
  if (failure.http_status != 0) {
    metadata[std::string(kHttpStatus)] = std::to_string(failure.http_status);
  }
  if (!failure.upstream_code.empty()) {
    metadata[std::string(kUpstreamCode)] = failure.upstream_code;
  }
  return info;
}

Blame BlameOf(absl::string_view name) {
  for (const Blame blame : {Blame::kCaller, Blame::kVendor}) {
    if (NameOf(blame) == name) return blame;
  }
  return Blame::kUs;
}

google::rpc::BadRequest ToBadRequest(const std::vector<Failure::Violation>& violations) {
  google::rpc::BadRequest bad_request;
  for (const Failure::Violation& violation : violations) {
    auto* const added = bad_request.add_field_violations();
    added->set_field(Printable(violation.field, kMaxViolationBytes));
    added->set_description(Printable(violation.description, kMaxViolationBytes));
  }
  return bad_request;
}

}  // namespace

google::rpc::RetryInfo ToRetryInfo(std::chrono::milliseconds delay) {
  google::rpc::RetryInfo info;
  info.mutable_retry_delay()->set_seconds(delay.count() / 1000);
  info.mutable_retry_delay()->set_nanos(static_cast<int32_t>(delay.count() % 1000) * 1'000'000);
  return info;
}

absl::Status Fail(const Reason& reason, absl::string_view message, Failure failure) {
  failure.blame = reason.blame;
  if (failure.reason.empty()) failure.reason = std::string(reason.name);
  absl::Status status(reason.code, message);
  Attach(status, kErrorInfo, ToErrorInfo(failure));
  if (!failure.violations.empty()) Attach(status, kBadRequest, ToBadRequest(failure.violations));
  if (failure.retry_after) Attach(status, kRetryInfo, ToRetryInfo(*failure.retry_after));
  if (failure.never_retry) status.SetPayload(kNeverRetry, absl::Cord());
  return status;
}

absl::Status CallerCancelled() { return Fail(reason::kCallerCancelled, "the caller cancelled"); }

Failure FailureOf(const absl::Status& status) {
  Failure failure{.reason = std::string(reason::kGatewayError.name),
                  .blame = reason::kGatewayError.blame};
  const auto info = Read<google::rpc::ErrorInfo>(status, kErrorInfo);
  if (!info.reason().empty()) failure.reason = info.reason();
  for (const auto& [key, value] : info.metadata()) {
    if (key == kHttpStatus && !absl::SimpleAtoi(value, &failure.http_status))
      failure.http_status = 0;
    if (key == kUpstreamCode) failure.upstream_code = value;
    if (key == kBlame) failure.blame = BlameOf(value);
  }
  const auto bad_request = Read<google::rpc::BadRequest>(status, kBadRequest);
  for (const auto& violation : bad_request.field_violations()) {
    failure.violations.push_back({violation.field(), violation.description()});
  }
  if (status.GetPayload(kRetryInfo)) {
    const auto delay = Read<google::rpc::RetryInfo>(status, kRetryInfo).retry_delay();
    failure.retry_after =
        std::chrono::milliseconds(delay.seconds() * 1000 + delay.nanos() / 1'000'000);
  }
  failure.never_retry = status.GetPayload(kNeverRetry).has_value();
  return failure;
}

absl::Status InvalidFields(const std::vector<Failure::Violation>& violations) {
  std::string message;
  for (const Failure::Violation& violation : violations) {
    absl::StrAppend(&message, message.empty() ? "" : "; ", violation.field, ": ",
                    violation.description);
  }
  return Fail(reason::kInvalidField, message, Failure{.violations = violations});
}

std::string Printable(absl::string_view text, size_t max_bytes) {
  constexpr absl::string_view kCut = "...";
  const bool cut = text.size() > max_bytes;
  std::string printable(cut ? text.substr(0, max_bytes - kCut.size()) : text);
  for (char& c : printable) {
    if (!absl::ascii_isprint(static_cast<unsigned char>(c))) c = '?';
  }
  if (cut) absl::StrAppend(&printable, kCut);
  return printable;
}

}  // namespace idv
