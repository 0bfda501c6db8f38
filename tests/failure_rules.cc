#include "tests/failure_rules.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <grpcpp/test/server_context_test_spouse.h>

#include <algorithm>
#include <cstdint>

#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>

#include "gateway/status.h"

namespace idv {
namespace {

constexpr size_t kMaxMessageBytes = 512;
constexpr size_t kMaxDetailsBytes = 3072;
constexpr int64_t kDay = int64_t{24} * 60 * 60 * 1000;  // in milliseconds

bool IsPrintable(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isprint(static_cast<unsigned char>(c)); });
}

bool IsReason(absl::string_view text) {
  constexpr absl::string_view kUpper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  return !text.empty() && text.size() <= 63 && absl::StrContains(kUpper, text.substr(0, 1)) &&
         text.find_first_not_of(absl::StrCat(kUpper, "0123456789_")) == absl::string_view::npos;
}

// The details by their types; `others` counts what is none of them.
struct Details {
  std::vector<google::rpc::ErrorInfo> infos;
  std::vector<google::rpc::BadRequest> bad_requests;
  std::vector<google::rpc::RetryInfo> retries;
  int others = 0;

  explicit Details(const google::rpc::Status& status) {
    for (const auto& any : status.details()) {
      const bool known = Take(any, infos) || Take(any, bad_requests) || Take(any, retries);
      if (!known) ++others;
    }
  }

  template <typename Detail>
  static bool Take(const google::protobuf::Any& any, std::vector<Detail>& into) {
    Detail detail;
    if (!any.UnpackTo(&detail)) return false;
    into.push_back(detail);
    return true;
  }
};

std::string CheckInfo(const google::rpc::ErrorInfo& info) {
  if (info.domain() != "idv-gateway") return "another domain";
  if (!IsReason(info.reason())) return absl::StrCat("no reason: ", info.reason());
  for (const auto& [key, value] : info.metadata()) {
    if (value.empty() || value.size() > 128 || !IsPrintable(value)) {
      return absl::StrCat("in the ErrorInfo, an empty, long or not printable ", key);
    }
  }
  for (const char* key : {"attempts", "blame", "request_id"}) {
    if (!info.metadata().contains(key)) return absl::StrCat("in the ErrorInfo, no ", key);
  }
  const std::string& blame = info.metadata().at("blame");
  return blame == "caller" || blame == "us" || blame == "vendor" ? "" : "nobody is to blame";
}

std::string CheckBadRequest(const google::rpc::BadRequest& bad_request) {
  for (const auto& violation : bad_request.field_violations()) {
    for (const std::string& text : {violation.field(), violation.description()}) {
      if (text.size() > 256 || !IsPrintable(text)) return "a long or not printable violation";
    }
    if (violation.description().empty()) return "a violation that says nothing";
  }
  return "";
}

std::string CheckRetry(const Details& details, const std::optional<std::string>& pushback) {
  int64_t told = -1;
  if (pushback && !absl::SimpleAtoi(*pushback, &told)) return "a pushback that is no number";
  if (details.retries.empty()) return told == -1 ? "" : "a pushback without a RetryInfo";
  const auto& delay = details.retries[0].retry_delay();
  const int64_t wait = delay.seconds() * 1000 + delay.nanos() / 1'000'000;
  if (delay.nanos() < 0 || delay.nanos() > 999'999'999) return "a RetryInfo with bad nanoseconds";
  if (wait < 0 || wait > kDay) return "a RetryInfo out of bounds";
  return told == wait ? "" : "a pushback that is not the RetryInfo's";
}

}  // namespace

std::string CheckFailure(const grpc::Status& status, const std::optional<std::string>& pushback) {
  const int code = status.error_code();
  if (code <= grpc::StatusCode::OK || code > grpc::StatusCode::UNAUTHENTICATED) return "no code";
  const std::string& message = status.error_message();
  if (message.size() > kMaxMessageBytes || !IsPrintable(message)) return "no such message";

  google::rpc::Status sent;
  if (!sent.ParseFromString(status.error_details())) return "details that cannot be parsed";
  if (sent.code() != code || sent.message() != message) return "details of another status";
  sent.clear_message();
  if (sent.ByteSizeLong() > kMaxDetailsBytes) return "details out of bounds";
  const Details details(sent);
  if (details.infos.size() != 1) return "not one ErrorInfo";
  if (details.bad_requests.size() > 1 || details.retries.size() > 1) return "a detail twice";
  if (details.others > 0) return "a detail of an unknown type";
  if (!details.bad_requests.empty() && code != grpc::StatusCode::INVALID_ARGUMENT) {
    return "a BadRequest for another reason";
  }

  std::string broken = CheckInfo(details.infos[0]);
  if (broken.empty() && !details.bad_requests.empty()) {
    broken = CheckBadRequest(details.bad_requests[0]);
  }
  return broken.empty() ? CheckRetry(details, pushback) : broken;
}

std::string CheckFailure(const absl::Status& failure) {
  grpc::ServerContext context;
  AddRetryPushback(failure, context);
  const auto trailers = grpc::testing::ServerContextTestSpouse(&context).GetTrailingMetadata();
  const auto pushback = trailers.find("grpc-retry-pushback-ms");
  return CheckFailure(ToGrpc(failure, "request-1", 1),
                      pushback == trailers.end() ? std::nullopt : std::optional(pushback->second));
}

bool Shows(const grpc::Status& status, const std::string& text) {
  return absl::StrContains(status.error_message(), text) ||
         absl::StrContains(status.error_details(), text);
}

}  // namespace idv
