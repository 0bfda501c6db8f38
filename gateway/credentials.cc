#include "gateway/credentials.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <map>
#include <string>
#include <utility>

#include "auth/secret.h"

namespace idv {
namespace {

std::vector<Sender> LoadSenders(const Config& config, std::vector<std::string>& problems) {
  std::vector<Sender> senders;
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
  return senders;
}

}  // namespace

absl::StatusOr<Credentials> Credentials::Load(const Config& config) {
  Credentials credentials;
  std::vector<std::string> problems;
  if (config.tls.has_value()) {
    absl::StatusOr<std::shared_ptr<ServerTls>> tls =
        ServerTls::Load(*config.tls, /*needs_clients=*/config.token_issuers.empty());
    if (tls.ok()) {
      credentials.tls = *std::move(tls);
    } else {
      problems.push_back(absl::StrCat("listen.tls: ", tls.status().message()));
    }
  }
  if (!config.token_issuers.empty()) {
    credentials.tokens = std::make_shared<TokenVerifier>(config.token_issuers);
    const absl::StatusOr<bool> loaded = credentials.tokens->Load();
    if (!loaded.ok()) problems.emplace_back(loaded.status().message());
  }
  credentials.senders = LoadSenders(config, problems);
  if (!problems.empty()) return absl::InvalidArgumentError(absl::StrJoin(problems, "\n"));
  return credentials;
}

void Credentials::Reload(const std::function<void(const std::string& news)>& on_news,
                         const std::function<void(const absl::Status& problem)>& on_problem) const {
  const auto tell = [&](const absl::StatusOr<bool>& reloaded, const char* news) {
    if (!reloaded.ok()) {
      on_problem(reloaded.status());
    } else if (*reloaded) {
      on_news(news);
    }
  };
  if (tls != nullptr) tell(tls->Reload(), "new connections get the new certificate");
  if (tokens != nullptr) tell(tokens->Load(), "tokens are verified with the new keys");
}

std::vector<std::string> Credentials::files() const {
  std::vector<std::string> files;
  if (tls != nullptr) {
    const TlsFiles& of_tls = tls->files();
    files = {of_tls.cert_file, of_tls.key_file};
    if (!of_tls.client_ca_file.empty()) files.push_back(of_tls.client_ca_file);
  }
  if (tokens != nullptr) {
    for (const std::string& file : tokens->files()) files.push_back(file);
  }
  return files;
}

}  // namespace idv
