#pragma once

#include <absl/status/status.h>
#include <absl/strings/string_view.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "upstream/reason.h"

namespace google::rpc {
class RetryInfo;
}

namespace idv {

// Why a call failed, beyond a status code: what a google.rpc.Status says in its details (AIP-193).
// It travels as payloads of an absl::Status, so that every layer can return it and only the gRPC
// side needs to know its form.
struct Failure {
  // A field of the request, by its path in the proto, and what is wrong with it; each is shown up
  // to 256 bytes, as by Printable().
  struct Violation {
    std::string field;
    std::string description;
  };

  // The name of a Reason, or the upstream's own error code in its place.
  std::string reason;
  Blame blame = Blame::kUs;
  // The upstream's, when it answered.
  int http_status = 0;
  std::string upstream_code;
  std::vector<Violation> violations;
  // When a retry makes sense.
  std::optional<std::chrono::milliseconds> retry_after;
  // A retry cannot help: clients that retry by themselves are told not to.
  bool never_retry = false;
};

// A failed status with the reason's code that carries `failure`, whose blame, and name if it has
// none yet, come from the reason. The message is for a person: it names the thing and the
// expectation and never holds a value that may be personal or secret. It may be longer than what
// callers are sent.
absl::Status Fail(const Reason& reason, absl::string_view message, Failure failure = {});

// CALLER_CANCELLED.
absl::Status CallerCancelled();

// The failure that Fail() put in; GATEWAY_ERROR, ours to mend, for any other status.
Failure FailureOf(const absl::Status& status);

// How a wait is written in the details of a status.
google::rpc::RetryInfo ToRetryInfo(std::chrono::milliseconds delay);

// INVALID_FIELD: the caller's message is well-formed, but a field of it cannot be sent.
absl::Status InvalidFields(const std::vector<Failure::Violation>& violations);

// What of `text` may be shown to people: printable ASCII, other characters as `?`, at most
// `max_bytes` with `...` at a cut end.
std::string Printable(absl::string_view text, size_t max_bytes);

}  // namespace idv
