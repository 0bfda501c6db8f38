#include "gateway/caller.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/strip.h>
#include <grpc/grpc_security_constants.h>

#include <iterator>
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

std::optional<absl::string_view> TokenOf(const grpc::ServerContext& context) {
  constexpr absl::string_view kScheme = "bearer ";
  const auto [first, last] = context.client_metadata().equal_range("authorization");
  if (first == last) return std::nullopt;
  if (std::next(first) != last) return "";
  const absl::string_view value(first->second.data(), first->second.size());
  if (!absl::StartsWithIgnoreCase(value, kScheme)) return std::nullopt;
  return absl::StripAsciiWhitespace(value.substr(kScheme.size()));
}

absl::StatusOr<std::string> IdentityOf(const grpc::ServerContext& context, const CallerRules& rules,
                                       TokenVerifier* tokens, const Policy& policy) {
  if (tokens != nullptr) {
    if (const std::optional<absl::string_view> token = TokenOf(context)) {
      std::optional<std::string> identity = tokens->Verify(*token, TokenVerifier::WallClock::now());
      if (!identity || *identity == kLocalIdentity) return CallerUnknown();
      return *std::move(identity);
    }
  }
  const std::shared_ptr<const grpc::AuthContext> connection = context.auth_context();
  if (connection == nullptr) return CallerUnknown();
  if (IsPlaintext(*connection)) {
    if (rules.is_plaintext_local || absl::StartsWith(context.peer(), "unix:")) {
      return kLocalIdentity;
    }
    return CallerUnknown();
  }
  for (const grpc::string_ref& name :
       connection->FindPropertyValues(PropertyOf(rules.certificate_identity))) {
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
