#include "gateway/caller.h"

#include <grpc/grpc_security_constants.h>

#include <memory>

#include "upstream/failure.h"

namespace idv {
namespace {

// The type of a connection under InsecureServerCredentials; gRPC has no public name for it.
constexpr char kInsecure[] = "insecure";

const char* PropertyOf(CertificateIdentity certificate_identity) {
  switch (certificate_identity) {
    case CertificateIdentity::kSpiffe:
      return GRPC_PEER_SPIFFE_ID_PROPERTY_NAME;
    case CertificateIdentity::kDns:
      return GRPC_PEER_DNS_PROPERTY_NAME;
    case CertificateIdentity::kSubject:
      return GRPC_X509_SUBJECT_PROPERTY_NAME;
  }
  return "";
}

bool IsPlaintext(const grpc::AuthContext& context) {
  const auto types = context.FindPropertyValues(GRPC_TRANSPORT_SECURITY_TYPE_PROPERTY_NAME);
  return types.size() == 1 && types.front() == kInsecure;
}

}  // namespace

absl::StatusOr<std::string> IdentityOf(const grpc::ServerContext& context,
                                       CertificateIdentity certificate_identity,
                                       const Policy& policy) {
  const std::shared_ptr<const grpc::AuthContext> connection = context.auth_context();
  if (connection == nullptr) return CallerUnknown();
  if (IsPlaintext(*connection)) return kLocalIdentity;
  for (const grpc::string_ref& name :
       connection->FindPropertyValues(PropertyOf(certificate_identity))) {
    std::string identity(name.data(), name.size());
    const bool is_known = policy.Knows(identity) && identity != kLocalIdentity;
    if (is_known) return identity;
  }
  return CallerUnknown();
}

absl::Status CallerUnknown() {
  return Fail(reason::kCallerUnauthenticated, "this gateway does not know the caller");
}

}  // namespace idv
