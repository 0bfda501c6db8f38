#include "auth/policy.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/strip.h>

#include <algorithm>
#include <functional>

namespace idv {
namespace {

bool Matches(absl::string_view pattern, absl::string_view method) {
  if (pattern == "*" || pattern == method) return true;
  return absl::ConsumeSuffix(&pattern, "*") && absl::EndsWith(pattern, "/") &&
         absl::StartsWith(method, pattern);
}

// Sets what the pattern matches; false if that is nothing.
bool Allow(absl::string_view pattern, const std::vector<std::string>& methods,
           std::vector<bool>& allowed) {
  bool any = false;
  for (size_t i = 0; i < methods.size(); ++i) {
    if (!Matches(pattern, methods[i])) continue;
    allowed[i] = true;
    any = true;
  }
  return any;
}

}  // namespace

Policy Policy::Compile(const std::vector<Rule>& rules, const std::vector<std::string>& tenants,
                       const std::vector<std::string>& methods, std::vector<Problem>& problems) {
  Policy policy;
  for (size_t i = 0; i < rules.size(); ++i) {
    const Rule& rule = rules[i];
    const auto [place, is_new] = policy.grants_.try_emplace(rule.identity);
    if (!is_new)
      problems.push_back(
          {i, absl::StrCat("the identity '", rule.identity, "' has a rule already")});
    Grant& grant = place->second;
    grant.methods.resize(methods.size());
    for (const std::string& pattern : rule.methods) {
      if (!Allow(pattern, methods, grant.methods)) {
        problems.push_back({i, absl::StrCat("no method is called '", pattern,
                                            "'; expected '*', 'package.Service/*' or "
                                            "'package.Service/Method'")});
      }
    }
    for (const std::string& name : rule.tenants) {
      const bool all = name == "*";
      if (!all && std::find(tenants.begin(), tenants.end(), name) == tenants.end()) {
        problems.push_back({i, absl::StrCat("no tenant is called '", name, "'")});
      }
      for (size_t tenant = 0; tenant < tenants.size(); ++tenant) {
        if (all || tenants[tenant] == name) grant.tenants.emplace(tenants[tenant], tenant);
      }
    }
    if (absl::EndsWith(rule.identity, "*")) {
      policy.prefix_lengths_.push_back(rule.identity.size() - 1);
    }
  }
  std::sort(policy.prefix_lengths_.begin(), policy.prefix_lengths_.end(), std::greater<>());
  policy.prefix_lengths_.erase(
      std::unique(policy.prefix_lengths_.begin(), policy.prefix_lengths_.end()),
      policy.prefix_lengths_.end());
  return policy;
}

const Policy::Grant* Policy::Find(absl::string_view identity) const {
  // Nobody is called so, and a '*' at its end would find the rule of others.
  if (identity.empty() || absl::EndsWith(identity, "*")) return nullptr;
  if (const auto exact = grants_.find(identity); exact != grants_.end()) return &exact->second;
  for (const size_t length : prefix_lengths_) {
    if (length > identity.size()) continue;
    const auto fits = grants_.find(absl::StrCat(identity.substr(0, length), "*"));
    if (fits != grants_.end()) return &fits->second;
  }
  return nullptr;
}

Policy::Verdict Policy::AuthorizeWithoutTenant(absl::string_view identity, size_t method) const {
  const Grant* const grant = Find(identity);
  if (grant == nullptr) return {Verdict::Kind::kCallerUnknown};
  return {grant->methods[method] ? Verdict::Kind::kAllowed : Verdict::Kind::kMethodNotAllowed};
}

Policy::Verdict Policy::Authorize(absl::string_view identity, size_t method,
                                  absl::string_view asked_tenant) const {
  const Grant* const grant = Find(identity);
  if (grant == nullptr) return {Verdict::Kind::kCallerUnknown};
  if (!grant->methods[method]) return {Verdict::Kind::kMethodNotAllowed};
  const auto& tenants = grant->tenants;
  if (asked_tenant.empty()) {
    if (tenants.size() != 1) return {Verdict::Kind::kTenantRequired};
    return {Verdict::Kind::kAllowed, tenants.begin()->second};
  }
  const auto tenant = tenants.find(asked_tenant);
  if (tenant == tenants.end()) return {Verdict::Kind::kTenantNotAllowed};
  return {Verdict::Kind::kAllowed, tenant->second};
}

}  // namespace idv
