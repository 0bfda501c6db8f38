#pragma once

#include <absl/status/status.h>
#include <absl/strings/string_view.h>

#include <array>

namespace idv {

// Whose doing a failure is, and so who has to mend it.
enum class Blame {
  kCaller,
  kUs,  // this gateway, its configuration or its operators
  kVendor,
};

// "caller", "us" or "vendor": what callers, logs and metrics are told.
absl::string_view NameOf(Blame blame);

// What a failure is called, the status code it has, and whose doing it is.
struct Reason {
  absl::StatusCode code;
  // UPPER_SNAKE_CASE, at most 63 characters: what programs tell failures apart by.
  absl::string_view name;
  Blame blame;
};

// Every reason there is, but for the upstream's own error codes, which take the place of the name
// where the error map says so. The source is the table of errors in the contract for callers; the
// README tells callers what to do about each.
namespace reason {

using Code = absl::StatusCode;

// The request cannot be taken.
inline constexpr Reason kRequestMalformed{Code::kInvalidArgument, "REQUEST_MALFORMED",
                                          Blame::kCaller};
inline constexpr Reason kInvalidField{Code::kInvalidArgument, "INVALID_FIELD", Blame::kCaller};
inline constexpr Reason kMessageTooLarge{Code::kInvalidArgument, "MESSAGE_TOO_LARGE",
                                         Blame::kCaller};
inline constexpr Reason kImageTooLarge{Code::kInvalidArgument, "IMAGE_TOO_LARGE", Blame::kCaller};
inline constexpr Reason kFrameTooLarge{Code::kInvalidArgument, "FRAME_TOO_LARGE", Blame::kCaller};
inline constexpr Reason kTooManyFrames{Code::kInvalidArgument, "TOO_MANY_FRAMES", Blame::kCaller};
inline constexpr Reason kStreamTooLarge{Code::kInvalidArgument, "STREAM_TOO_LARGE", Blame::kCaller};
inline constexpr Reason kStreamProtocol{Code::kInvalidArgument, "STREAM_PROTOCOL", Blame::kCaller};
inline constexpr Reason kFrameCountMismatch{Code::kInvalidArgument, "FRAME_COUNT_MISMATCH",
                                            Blame::kCaller};
inline constexpr Reason kStreamIdle{Code::kDeadlineExceeded, "STREAM_IDLE", Blame::kCaller};

// The caller may not do this.
inline constexpr Reason kCallerUnauthenticated{Code::kUnauthenticated, "CALLER_UNAUTHENTICATED",
                                               Blame::kCaller};
inline constexpr Reason kMethodNotAllowed{Code::kPermissionDenied, "METHOD_NOT_ALLOWED",
                                          Blame::kCaller};
inline constexpr Reason kTenantNotAllowed{Code::kPermissionDenied, "TENANT_NOT_ALLOWED",
                                          Blame::kCaller};
inline constexpr Reason kTenantRequired{Code::kInvalidArgument, "TENANT_REQUIRED", Blame::kCaller};

// The gateway does not, or no longer, serve the call.
inline constexpr Reason kGatewayOverloaded{Code::kResourceExhausted, "GATEWAY_OVERLOADED",
                                           Blame::kUs};
inline constexpr Reason kGatewayDraining{Code::kUnavailable, "GATEWAY_DRAINING", Blame::kUs};
inline constexpr Reason kDeadlineInQueue{Code::kDeadlineExceeded, "DEADLINE_IN_QUEUE", Blame::kUs};
// The upstream's allowance for the tenant.
inline constexpr Reason kBudgetExhausted{Code::kResourceExhausted, "BUDGET_EXHAUSTED",
                                         Blame::kCaller};
inline constexpr Reason kCallerCancelled{Code::kCancelled, "CALLER_CANCELLED", Blame::kCaller};
// There is no key to send for the tenant.
inline constexpr Reason kTenantCredentialMissing{Code::kUnavailable, "TENANT_CREDENTIAL_MISSING",
                                                 Blame::kUs};
// A status that no part of the gateway gave a reason.
inline constexpr Reason kGatewayError{Code::kInternal, "GATEWAY_ERROR", Blame::kUs};

// The upstream answered with an error.
inline constexpr Reason kUpstreamInvalidRequest{Code::kInvalidArgument, "UPSTREAM_INVALID_REQUEST",
                                                Blame::kCaller};
inline constexpr Reason kUpstreamPayloadTooLarge{Code::kInvalidArgument,
                                                 "UPSTREAM_PAYLOAD_TOO_LARGE", Blame::kCaller};
inline constexpr Reason kUpstreamConflict{Code::kFailedPrecondition, "UPSTREAM_CONFLICT",
                                          Blame::kCaller};
inline constexpr Reason kUpstreamNotFound{Code::kNotFound, "UPSTREAM_NOT_FOUND", Blame::kCaller};
inline constexpr Reason kUpstreamRateLimited{Code::kResourceExhausted, "UPSTREAM_RATE_LIMITED",
                                             Blame::kCaller};
inline constexpr Reason kDailyAttemptsExhausted{Code::kResourceExhausted,
                                                "DAILY_ATTEMPTS_EXHAUSTED", Blame::kCaller};
// Ours: it is our key that was refused, or that lacks the scope.
inline constexpr Reason kUpstreamCredentialRejected{Code::kUnavailable,
                                                    "UPSTREAM_CREDENTIAL_REJECTED", Blame::kUs};
inline constexpr Reason kUpstreamForbidden{Code::kPermissionDenied, "UPSTREAM_FORBIDDEN",
                                           Blame::kUs};
inline constexpr Reason kUpstreamUnexpectedStatus{Code::kInternal, "UPSTREAM_UNEXPECTED_STATUS",
                                                  Blame::kUs};
inline constexpr Reason kUpstreamError{Code::kInternal, "UPSTREAM_ERROR", Blame::kVendor};
inline constexpr Reason kUpstreamUnavailable{Code::kUnavailable, "UPSTREAM_UNAVAILABLE",
                                             Blame::kVendor};

// The upstream gave no answer, or one of no use, or is not asked since that was so lately.
inline constexpr Reason kUpstreamCircuitOpen{Code::kUnavailable, "UPSTREAM_CIRCUIT_OPEN",
                                             Blame::kVendor};
inline constexpr Reason kUpstreamTimeout{Code::kDeadlineExceeded, "UPSTREAM_TIMEOUT",
                                         Blame::kVendor};
inline constexpr Reason kUpstreamUnreachable{Code::kUnavailable, "UPSTREAM_UNREACHABLE",
                                             Blame::kVendor};
inline constexpr Reason kUpstreamBadResponse{Code::kInternal, "UPSTREAM_BAD_RESPONSE",
                                             Blame::kVendor};
inline constexpr Reason kUpstreamResponseTooLarge{Code::kInternal, "UPSTREAM_RESPONSE_TOO_LARGE",
                                                  Blame::kVendor};

// All of them.
inline constexpr std::array kAll = {kRequestMalformed,
                                    kInvalidField,
                                    kMessageTooLarge,
                                    kImageTooLarge,
                                    kFrameTooLarge,
                                    kTooManyFrames,
                                    kStreamTooLarge,
                                    kStreamProtocol,
                                    kFrameCountMismatch,
                                    kStreamIdle,
                                    kCallerUnauthenticated,
                                    kMethodNotAllowed,
                                    kTenantNotAllowed,
                                    kTenantRequired,
                                    kGatewayOverloaded,
                                    kGatewayDraining,
                                    kDeadlineInQueue,
                                    kBudgetExhausted,
                                    kCallerCancelled,
                                    kTenantCredentialMissing,
                                    kGatewayError,
                                    kUpstreamInvalidRequest,
                                    kUpstreamPayloadTooLarge,
                                    kUpstreamConflict,
                                    kUpstreamNotFound,
                                    kUpstreamRateLimited,
                                    kDailyAttemptsExhausted,
                                    kUpstreamCredentialRejected,
                                    kUpstreamForbidden,
                                    kUpstreamUnexpectedStatus,
                                    kUpstreamError,
                                    kUpstreamUnavailable,
                                    kUpstreamCircuitOpen,
                                    kUpstreamTimeout,
                                    kUpstreamUnreachable,
                                    kUpstreamBadResponse,
                                    kUpstreamResponseTooLarge};

// The upstream's own error codes, as far as they are known (its documentation,
// reference/error-codes, and its client SDKs), that may take the place of a reason. They speak of
// the request.
inline constexpr std::array<absl::string_view, 18> kUpstreamCodes = {
    "VALIDATION_ERROR",
    "INVALID_REQUEST",
    "NOT_FOUND",
    "VERIFICATION_NOT_FOUND",
    "INVALID_STATE",
    "DOCUMENT_REQUIRED",
    "SESSION_EXPIRED",
    "VERIFICATION_EXPIRED",
    "VERIFICATION_ALREADY_COMPLETED",
    "INVALID_VERIFICATION_STATE",
    "DOCUMENT_TYPE_NOT_SUPPORTED",
    "FACE_NOT_DETECTED",
    "MULTIPLE_FACES_DETECTED",
    "FACE_MATCH_FAILED",
    "LIVENESS_CHECK_FAILED",
    "CHALLENGE_NOT_COMPLETED",
    "MRZ_READ_FAILED",
    "INVALID_TENANT_ID"};

}  // namespace reason
}  // namespace idv
