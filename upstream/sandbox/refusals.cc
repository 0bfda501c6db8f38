#include "upstream/sandbox/refusals.h"

#include <string>

namespace idv::sandbox {

Response Refuse(int status, std::string_view code, std::string_view error) {
  return {.status = status, .body = Dump({{"code", code}, {"error", error}})};
}

Response RefuseField(std::string_view field, std::string_view constraint) {
  const std::string error =
      "Validation failed on field '" + std::string(field) + "': " + std::string(constraint);
  return {.status = 400,
          .body = Dump({{"code", "VALIDATION_ERROR"},
                        {"error", error},
                        {"details", {{"field", field}, {"constraint", constraint}}}})};
}

Response RefuseMethod(std::string_view allowed) {
  Response response = Refuse(405, "METHOD_NOT_ALLOWED", "Use " + std::string(allowed) + ".");
  response.headers.emplace_back("Allow", allowed);
  return response;
}

Response RefuseBinding(std::string_view error) {
  return {.status = 400, .body = Dump({{"error", error}})};
}

Response RefuseAttempt(int attempts_per_day) {
  return {.status = 429,
          .body = Dump({{"code", "RATE_LIMIT_EXCEEDED"},
                        {"error", "The subject has had all its attempts of this day."},
                        {"details", {{"maxAttemptsPerDay", attempts_per_day}}}})};
}

Response Refuse(Refusal refusal, std::string_view what) {
  switch (refusal) {
    case Refusal::kNotFound:
      return Refuse(404, std::string(what) + "_NOT_FOUND", "There is no such resource.");
    case Refusal::kInvalidState:
      return Refuse(409, "INVALID_STATE", "The operation is not allowed in the present status.");
    case Refusal::kExpired:
      // The status of SESSION_EXPIRED is not readable in the docs; 410 says what it means.
      return Refuse(410, "SESSION_EXPIRED", "The verification has expired.");
    case Refusal::kDocumentRequired:
      // The docs show 400 DOCUMENT_REQUIRED and 409 INVALID_STATE for this; the first tells more.
      return Refuse(400, "DOCUMENT_REQUIRED", "Upload the front of a document first.");
    case Refusal::kNoSession:
      return Refuse(409, "INVALID_STATE", "Create a liveness session first.");
    case Refusal::kNotInSession:
      return RefuseField("challengeType", "in_session");
  }
  return Refuse(500, "INTERNAL", "Unknown refusal.");
}

}  // namespace idv::sandbox
