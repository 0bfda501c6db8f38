#include "tests/chaos/judge.h"

#include <map>

#include "tests/chaos/messages.h"
#include "tests/chaos/size.h"
#include "tests/failure_rules.h"

namespace idv::chaos {
namespace {

using grpc::StatusCode;
using std::chrono::milliseconds;

// The client ends a call at its deadline by itself, but may be busy.
constexpr milliseconds kLateness{kIsInstrumented ? 5000 : 2000};
// Its clocks are not quite the same.
constexpr milliseconds kEarliness{20};

struct Told {
  StatusCode code;
  std::string blame;
};

// Of all failures that callers are told of, those that may come of this load.
const std::map<std::string, Told>& Failures() {
  static const std::map<std::string, Told> failures = {
      {"REQUEST_MALFORMED", {StatusCode::INVALID_ARGUMENT, "caller"}},
      {"INVALID_FIELD", {StatusCode::INVALID_ARGUMENT, "caller"}},
      {"IMAGE_TOO_LARGE", {StatusCode::INVALID_ARGUMENT, "caller"}},
      {"VALIDATION_ERROR", {StatusCode::INVALID_ARGUMENT, "caller"}},
      {"UPSTREAM_INVALID_REQUEST", {StatusCode::INVALID_ARGUMENT, "caller"}},
      {"UPSTREAM_PAYLOAD_TOO_LARGE", {StatusCode::INVALID_ARGUMENT, "caller"}},
      {"DOCUMENT_REQUIRED", {StatusCode::FAILED_PRECONDITION, "caller"}},
      {"INVALID_STATE", {StatusCode::FAILED_PRECONDITION, "caller"}},
      {"UPSTREAM_CONFLICT", {StatusCode::FAILED_PRECONDITION, "caller"}},
      {"VERIFICATION_NOT_FOUND", {StatusCode::NOT_FOUND, "caller"}},
      {"LIVENESS_SESSION_NOT_FOUND", {StatusCode::NOT_FOUND, "caller"}},
      {"IMAGE_NOT_FOUND", {StatusCode::NOT_FOUND, "caller"}},
      {"ALERT_NOT_FOUND", {StatusCode::NOT_FOUND, "caller"}},
      {"UPSTREAM_NOT_FOUND", {StatusCode::NOT_FOUND, "caller"}},
      {"UPSTREAM_RATE_LIMITED", {StatusCode::RESOURCE_EXHAUSTED, "caller"}},
      {"DAILY_ATTEMPTS_EXHAUSTED", {StatusCode::RESOURCE_EXHAUSTED, "caller"}},
      {"UPSTREAM_CREDENTIAL_REJECTED", {StatusCode::UNAVAILABLE, "us"}},
      {"UPSTREAM_FORBIDDEN", {StatusCode::PERMISSION_DENIED, "us"}},
      {"UPSTREAM_UNREACHABLE", {StatusCode::UNAVAILABLE, "vendor"}},
      {"UPSTREAM_UNAVAILABLE", {StatusCode::UNAVAILABLE, "vendor"}},
      {"UPSTREAM_TIMEOUT", {StatusCode::DEADLINE_EXCEEDED, "vendor"}},
      {"UPSTREAM_ERROR", {StatusCode::INTERNAL, "vendor"}},
      {"UPSTREAM_BAD_RESPONSE", {StatusCode::INTERNAL, "vendor"}},
      {"UPSTREAM_RESPONSE_TOO_LARGE", {StatusCode::INTERNAL, "vendor"}},
      {"UPSTREAM_UNEXPECTED_STATUS", {StatusCode::INTERNAL, "us"}},
      {"DEADLINE_IN_QUEUE", {StatusCode::DEADLINE_EXCEEDED, "us"}},
      {"STREAM_IDLE", {StatusCode::DEADLINE_EXCEEDED, "caller"}},
  };
  return failures;
}

std::string JudgeAnswer(const Rpc& rpc, const grpc::ByteBuffer& response) {
  return FromByteBuffer(response, *rpc.NewResponse()) ? "" : "an answer that cannot be read";
}

// Statuses that the client's library made.
std::string JudgeOwn(const Circumstances& circumstances, const Ending& ending) {
  const StatusCode code = ending.outcome.status.error_code();
  const bool is_explained = (code == StatusCode::CANCELLED && circumstances.was_to_be_cancelled) ||
                            (code == StatusCode::DEADLINE_EXCEEDED &&
                             ending.took >= circumstances.timeout - kEarliness) ||
                            (code == StatusCode::UNAVAILABLE && circumstances.was_cut);
  return is_explained ? "" : "a status without details";
}

std::string JudgeFailure(const e2e::Outcome& outcome) {
  const auto told = Failures().find(outcome.reason());
  if (told == Failures().end()) return "a reason that nobody was told of";
  if (outcome.status.error_code() != told->second.code) return "another code than its reason's";
  const auto& metadata = outcome.info.metadata();
  const auto blame = metadata.find("blame");
  if (blame == metadata.end() || blame->second != told->second.blame) return "another's blame";
  return CheckFailure(outcome.status, outcome.Trailer("grpc-retry-pushback-ms"));
}

}  // namespace

std::string Judge(const Rpc& rpc, const Circumstances& circumstances, const Ending& ending) {
  if (ending.took > circumstances.timeout + kLateness) return "an end long after the deadline";
  if (ending.outcome.ok()) return JudgeAnswer(rpc, ending.response);
  if (!ending.outcome.has_details) return JudgeOwn(circumstances, ending);
  return JudgeFailure(ending.outcome);
}

}  // namespace idv::chaos
