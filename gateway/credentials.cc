#include "gateway/credentials.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <map>
#include <string>
#include <utility>

#include "auth/secret.h"

namespace idv {

absl::StatusOr<std::vector<Sender>> LoadSenders(const Config& config) {
  std::vector<Sender> senders;
  std::vector<std::string> problems;
  // A variable is wiped when it is read, and two tenants may name the same one.
  std::map<std::string, absl::StatusOr<std::string>> variables;
  for (size_t i = 0; i < config.tenants.size(); ++i) {
    const Config::Tenant& tenant = config.tenants[i];
    const auto& source = tenant.api_key;
    if (source.has_env() && !variables.contains(source.env())) {
      variables.emplace(source.env(), TakeSecretFromEnvironment(source.env()));
    }
    absl::StatusOr<std::string> key =
        source.has_env() ? variables.at(source.env()) : ReadSecretFile(source.file());
    if (key.ok()) {
      senders.emplace_back(tenant.tenant_id, *key);
    } else {
      problems.push_back(absl::StrCat("tenants[", i, "].api_key: ", key.status().message()));
    }
  }
  if (!problems.empty()) return absl::InvalidArgumentError(absl::StrJoin(problems, "\n"));
  return senders;
}

}  // namespace idv
