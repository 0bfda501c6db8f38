#pragma once

#include <absl/status/statusor.h>
#include <grpcpp/grpcpp.h>

#include <string>

#include "auth/policy.h"

namespace idv {

// Whoever reaches a unix socket, or a plaintext listener on loopback. Nobody else may be called so.
inline constexpr char kLocalIdentity[] = "local";

// What of a client's certificate is its identity: the SPIFFE ID, that is its only URI; one of its
// DNS names, the first that the policy knows; or the subject, as RFC 2253 writes it.
enum class CertificateIdentity { kSpiffe, kDns, kSubject };

// Who calls, by the connection. CALLER_UNAUTHENTICATED: the certificate names nobody whom the
// policy knows. Thread-safe.
absl::StatusOr<std::string> IdentityOf(const grpc::ServerContext& context,
                                       CertificateIdentity certificate_identity,
                                       const Policy& policy);

// CALLER_UNAUTHENTICATED, without a hint at why.
absl::Status CallerUnknown();

}  // namespace idv
