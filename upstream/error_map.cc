#include "upstream/error_map.h"

#include <absl/algorithm/container.h>
#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "kora/idv/gateway/v1/upstream_error.pb.h"
#include "upstream/failure.h"
#include "upstream/retry_after.h"

namespace idv {
namespace {

using absl::StatusCode;
using kora::idv::gateway::v1::UpstreamError;

constexpr size_t kMaxTextBytes = 256;
constexpr size_t kMaxReasonBytes = 63;  // google.rpc.ErrorInfo's own limit
constexpr int kMaxViolations = 16;

// What the vendor's sample client waits when a 429 names no time.
constexpr std::chrono::milliseconds kDefaultRateLimitWait{1000};

struct Mapping {
  int http_status;
  Reason reason;
  bool prefer_upstream_code = false;  // as the name of the reason
};

// The HTTP column of google/rpc/code.proto, read backwards. Not gRPC's http-grpc-status-mapping.md:
// that one is for proxies that broke a gRPC call, and would make a 404 UNIMPLEMENTED.
constexpr std::array kMappings = {
    Mapping{400, reason::kUpstreamInvalidRequest, true},
    Mapping{401, reason::kUpstreamCredentialRejected},
    Mapping{403, reason::kUpstreamForbidden},
    Mapping{404, reason::kUpstreamNotFound, true},
    Mapping{408, reason::kUpstreamTimeout},
    Mapping{409, reason::kUpstreamConflict, true},
    Mapping{410, reason::kUpstreamConflict, true},
    Mapping{413, reason::kUpstreamPayloadTooLarge},
    Mapping{422, reason::kUpstreamInvalidRequest, true},
    Mapping{429, reason::kUpstreamRateLimited},
    Mapping{502, reason::kUpstreamUnavailable},
    Mapping{503, reason::kUpstreamUnavailable},
    Mapping{504, reason::kUpstreamTimeout},
};

// The upstream uses these with several statuses; they mean the same with each.
constexpr std::array<absl::string_view, 3> kPreconditionCodes = {
    "DOCUMENT_REQUIRED", "INVALID_STATE", "SESSION_EXPIRED"};

Mapping MappingOf(int http_status, absl::string_view upstream_code) {
  const bool speaks_of_the_request = http_status >= 400 && http_status < 500 &&
                                     http_status != 401 && http_status != 403 && http_status != 429;
  if (speaks_of_the_request && absl::c_linear_search(kPreconditionCodes, upstream_code)) {
    return {http_status, reason::kUpstreamConflict, true};
  }
  for (const Mapping& mapping : kMappings) {
    if (mapping.http_status == http_status) return mapping;
  }
  if (http_status >= 500 && http_status < 600) {
    return {http_status, reason::kUpstreamError};
  }
  return {http_status, reason::kUpstreamUnexpectedStatus};
}

// google.rpc.ErrorInfo's form of a reason.
bool IsReason(absl::string_view text) {
  return !text.empty() && text.size() <= kMaxReasonBytes &&
         absl::ascii_isupper(static_cast<unsigned char>(text[0])) &&
         absl::c_all_of(text, [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return absl::ascii_isupper(byte) || absl::ascii_isdigit(byte) || c == '_';
         });
}

std::string FirstOf(std::initializer_list<absl::string_view> texts) {
  for (const absl::string_view text : texts) {
    if (!text.empty()) return std::string(text);
  }
  return "";
}

std::vector<Failure::Violation> ViolationsOf(const Route& route, const UpstreamError& error) {
  std::vector<Failure::Violation> violations;
  const auto add = [&](absl::string_view field, absl::string_view description) {
    if (field.empty() || violations.size() >= kMaxViolations) return;
    violations.push_back({Printable(route.ProtoPath(field), kMaxTextBytes),
                          Printable(description.empty() ? "refused" : description, kMaxTextBytes)});
  };
  for (const auto& field_error : error.errors()) add(field_error.field(), field_error.message());
  if (!violations.empty()) return violations;
  if (!error.details().field().empty()) {
    add(error.details().field(), error.details().constraint());
    return violations;
  }
  for (const auto& [field, text] : error.details().all().fields()) {
    if (text.kind_case() == google::protobuf::Value::kStringValue) add(field, text.string_value());
  }
  return violations;
}

// When to come back after a 429 or a 503, from whatever says so.
std::optional<std::chrono::milliseconds> WaitOf(const HttpResponse& response,
                                                const UpstreamError& error,
                                                std::chrono::system_clock::time_point now) {
  if (const auto header = response.Header("Retry-After")) {
    if (const auto wait = ParseRetryAfter(*header, now)) return wait;
  }
  if (error.details().has_retry_after()) return RetryAfterSeconds(error.details().retry_after());
  return std::nullopt;
}

bool AreAttemptsSpent(const Route& route, const HttpResponse& response,
                      const UpstreamError& error) {
  if (!route.options().spends_attempt()) return false;
  if (error.details().has_max_attempts_per_day()) return true;
  int remaining = 0;
  const auto header = response.Header("X-RateLimit-Remaining");
  return header && absl::SimpleAtoi(*header, &remaining) && remaining > 0;
}

UpstreamError Read(const JsonDecoder& decoder, JsonParser& parser, std::string& body,
                   absl::string_view api_key) {
  UpstreamError error;
  const auto json = parser.Parse(body);
  // Whatever cannot be read says nothing: the status alone has to do.
  if (json.ok()) decoder.Decode(*json, error, [](const Drift&) {}).IgnoreError();
  // Nor does what repeats the key. Asked here, where it stands as it is, neither escaped nor cut.
  const bool repeats_key =
      !api_key.empty() && absl::StrContains(error.SerializeAsString(), api_key);
  if (repeats_key) error.Clear();
  return error;
}

JsonDecoder CompileOrDie() {
  return *JsonDecoder::Compile(*UpstreamError::descriptor(), nullptr,
                               JsonDecoder::Mode::kSkipWrongTypes);
}

}  // namespace

ErrorMap::ErrorMap() : decoder_(CompileOrDie()) {}

absl::Status ErrorMap::FromResponse(const Route& route, HttpResponse response, JsonParser& parser,
                                    absl::string_view api_key,
                                    std::chrono::system_clock::time_point now) const {
  const UpstreamError error = Read(decoder_, parser, response.body, api_key);
  const std::string code = FirstOf({error.code(), error.error().code()});
  const Mapping mapping = MappingOf(response.status, code);
  const int status = response.status;

  Failure failure;
  if (mapping.prefer_upstream_code && IsReason(code)) failure.reason = code;
  failure.http_status = status;
  failure.upstream_code = Printable(code, kMaxReasonBytes);
  if (mapping.reason.code == StatusCode::kInvalidArgument) {
    failure.violations = ViolationsOf(route, error);
  }
  if (status == 401) {
    failure.never_retry = true;
    return Fail(mapping.reason, "the upstream refused this gateway's API key for the tenant",
                failure);
  }
  if (status == 403) {
    return Fail(mapping.reason, "the tenant's API key does not permit this at the upstream",
                failure);
  }
  const std::string text = FirstOf({error.error().message(), error.message(), error.detail()});
  const std::string message = absl::StrCat(
      "the upstream answered ", status, text.empty() ? "" : ": ", Printable(text, kMaxTextBytes));
  if (status == 429 && AreAttemptsSpent(route, response, error)) {
    failure.never_retry = true;
    return Fail(reason::kDailyAttemptsExhausted, message, failure);
  }
  if (status == 429 || status == 503) failure.retry_after = WaitOf(response, error, now);
  if (status == 429 && !failure.retry_after) failure.retry_after = kDefaultRateLimitWait;
  return Fail(mapping.reason, message, failure);
}

absl::Status ErrorMap::FromTransport(const absl::Status& transport) {
  switch (transport.code()) {
    case StatusCode::kDeadlineExceeded:
      return Fail(reason::kUpstreamTimeout, "the upstream did not answer within the deadline");
    case StatusCode::kCancelled:
      return CallerCancelled();
    case StatusCode::kResourceExhausted:
      return Fail(reason::kUpstreamResponseTooLarge, transport.message());
    default:
      return Fail(reason::kUpstreamUnreachable, transport.message());
  }
}

}  // namespace idv
