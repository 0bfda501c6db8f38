#pragma once

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <grpcpp/grpcpp.h>

#include <optional>
#include <string>

#include "auth/policy.h"
#include "auth/token_verifier.h"

namespace idv {

// Whoever reaches a unix socket, or a plaintext listener on loopback. Nobody else may be called so.
inline constexpr char kLocalIdentity[] = "local";

// What of a client's certificate is its identity: the SPIFFE ID, that is its only URI; one of its
// DNS names, the first that the policy knows; or the subject, as RFC 2253 writes it.
enum class CertificateIdentity { kSpiffe, kDns, kSubject };

// How callers are told from each other.
struct CallerRules {
  CertificateIdentity certificate_identity = CertificateIdentity::kSpiffe;
  // Whoever reaches a plaintext listener that is no unix socket is local: all of them are on
  // loopback.
  bool is_plaintext_local = true;
};

// Who calls: by the bearer token in `authorization` if `tokens` is there and one is given, else by
// the connection. CALLER_UNAUTHENTICATED: nobody whom the policy knows, without a hint at why.
// Thread-safe.
absl::StatusOr<std::string> IdentityOf(const grpc::ServerContext& context, const CallerRules& rules,
                                       TokenVerifier* tokens, const Policy& policy);

// The bearer token in `authorization` (RFC 6750); nothing if there is none. An empty one for more
// than one `authorization`, of which nobody could say which counts.
std::optional<absl::string_view> TokenOf(const grpc::ServerContext& context);

// CALLER_UNAUTHENTICATED.
absl::Status CallerUnknown();

}  // namespace idv
