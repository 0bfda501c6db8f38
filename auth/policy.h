#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/strings/string_view.h>

#include <cstddef>
#include <string>
#include <vector>

namespace idv {

// Who may do what: callers by identity, the tenants in whose name they may act and the methods they
// may call. Whatever is not allowed by a rule is refused. Immutable after Compile(), so
// thread-safe.
class Policy {
 public:
  // What somebody may do. `identity`: a whole one, or the beginning of some with a '*' behind it;
  // of several rules that fit an identity, only the most exact counts. `tenants`: names, or "*".
  // `methods`: "package.Service/Method", "package.Service/*" or "*".
  struct Rule {
    std::string identity;
    std::vector<std::string> tenants;
    std::vector<std::string> methods;
  };

  struct Verdict {
    enum class Kind {
      kAllowed,
      kCallerUnknown,
      kMethodNotAllowed,
      kTenantNotAllowed,
      kTenantRequired
    };
    Kind kind;
    // The tenant to act for, by its place in the names given to Compile(), where that is allowed
    // and was asked for.
    size_t tenant = 0;
  };

  // A part of a rule that names nothing: `rule` is its place, `what` says what is wrong with which
  // name.
  struct Problem {
    size_t rule;
    std::string what;
  };

  // `tenants` and `methods` are all there are; the policy speaks of both by their place in these
  // lists. Every problem is added to `problems`; the policy is of use only if there was none.
  static Policy Compile(const std::vector<Rule>& rules, const std::vector<std::string>& tenants,
                        const std::vector<std::string>& methods, std::vector<Problem>& problems);

  // Whether there is a rule for it.
  bool Knows(absl::string_view identity) const { return Find(identity) != nullptr; }

  // Whether `identity` may call the method, for the tenant it asks for; `asked_tenant` may be empty
  // for a caller with one tenant only.
  Verdict Authorize(absl::string_view identity, size_t method,
                    absl::string_view asked_tenant) const;

  // The same for a method that is for no tenant.
  Verdict AuthorizeWithoutTenant(absl::string_view identity, size_t method) const;

 private:
  struct Grant {
    std::vector<bool> methods;
    absl::flat_hash_map<std::string, size_t> tenants;
  };

  const Grant* Find(absl::string_view identity) const;

  absl::flat_hash_map<std::string, Grant> grants_;  // by identity, the '*' of some included
  std::vector<size_t> prefix_lengths_;              // of those with a '*', the longest first
};

}  // namespace idv
