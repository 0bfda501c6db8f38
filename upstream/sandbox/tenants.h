#ifndef UPSTREAM_SANDBOX_TENANTS_H_
#define UPSTREAM_SANDBOX_TENANTS_H_

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "upstream/sandbox/rate_limiter.h"

namespace idv::sandbox {

// What a key may do. The vendor has scopes, but no source names them: these are our own.
enum class Scope {
  kVerificationsRead,   // verifications:read
  kVerificationsWrite,  // verifications:write
  kReviewsWrite,        // reviews:write
  kAlertsRead,          // alerts:read
  kAlertsWrite,         // alerts:write
  kReferenceRead,       // reference:read
};

std::string_view ScopeName(Scope scope);

// The tenant that a key belongs to, and what it may do there.
struct Grant {
  std::string tenant_id;       // lower case
  unsigned scopes = 0;         // one bit per Scope
  const Plan* plan = nullptr;  // of the tenant; nullptr: no rate limit

  bool Allows(Scope scope) const { return (scopes >> static_cast<unsigned>(scope) & 1U) != 0; }
};

// Where a tenant's webhooks go to, besides the callbackUrl of a verification.
struct WebhookSettings {
  std::string url;  // empty: nowhere
  std::string secret = "whsec_sandbox";
};

// All keys, and where their tenants' webhooks go to. Immutable.
class Tenants {
 public:
  // One tenant with one key that may do everything, for a sandbox without a file (design section
  // 10); nullptr: without a rate limit.
  static Tenants Default(const Plan* plan = nullptr, WebhookSettings webhook = {});

  // From YAML:
  //   tenants:
  //     - tenant_id: 550e8400-e29b-41d4-a716-446655440000
  //       plan: basic                                  # without one: no rate limit
  //       webhook: {url: "https://kyc.test/hooks", secret: whsec_x}  # both may be left out
  //       keys:
  //         - {key: test_sk_sandbox, scopes: ["*"]}   # "*" = all
  // Or all that is wrong with it, one problem an entry, each with its path.
  static std::variant<Tenants, std::vector<std::string>> Parse(const std::string& yaml);

  // nullptr for a key that is not known.
  const Grant* Find(const std::string& key) const;

  // Nowhere for a tenant that is not known: of records that were kept, say.
  const WebhookSettings& WebhookOf(const std::string& tenant_id) const;

 private:
  friend class TenantsReader;
  std::unordered_map<std::string, Grant> grants_;              // by key
  std::unordered_map<std::string, WebhookSettings> webhooks_;  // by tenant id
};

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_TENANTS_H_
