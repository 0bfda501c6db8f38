#include "gateway/credentials.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <algorithm>
#include <string>
#include <utility>

namespace idv {

Credentials::Credentials(const Config& config, Reports reports)
    : reports_(std::move(reports)),
      secrets_({.vault = config.secrets.vault, .poll = config.secrets.poll}) {}

absl::StatusOr<std::unique_ptr<Credentials>> Credentials::Load(const Config& config,
                                                               Reports reports, bool strict) {
  std::unique_ptr<Credentials> credentials(new Credentials(config, std::move(reports)));
  std::vector<std::string> problems;
  credentials->LoadTls(config, problems);
  std::vector<std::string> missing = credentials->LoadTenants(config, strict, problems);
  credentials->LoadTokens(config, strict ? problems : missing, problems);
  if (!problems.empty()) return absl::InvalidArgumentError(absl::StrJoin(problems, "\n"));
  credentials->is_loaded_ = true;
  for (const std::string& one : missing) {
    credentials->reports_.on_problem(absl::NotFoundError(one));
  }
  return credentials;
}

void Credentials::LoadTls(const Config& config, std::vector<std::string>& problems) {
  if (!config.tls) return;
  absl::StatusOr<std::shared_ptr<ServerTls>> tls =
      ServerTls::Load(*config.tls, /*needs_clients=*/config.token_issuers.empty());
  if (tls.ok()) {
    tls_ = *std::move(tls);
  } else {
    problems.push_back(absl::StrCat("listen.tls: ", tls.status().message()));
  }
}

// Keys that cannot be fetched may be later.
void Credentials::LoadTokens(const Config& config, std::vector<std::string>& missing,
                             std::vector<std::string>& problems) {
  if (config.token_issuers.empty()) return;
  tokens_ = std::make_shared<TokenVerifier>(
      config.token_issuers, TokenVerifier::Reports{reports_.on_news, reports_.on_problem});
  const absl::StatusOr<bool> loaded = tokens_->Load();
  if (!loaded.ok()) problems.emplace_back(loaded.status().message());
  const absl::Status fetched = tokens_->Fetch();
  if (!fetched.ok()) missing.emplace_back(fetched.message());
}

// Returns what is wrong with those that have no key.
std::vector<std::string> Credentials::LoadTenants(const Config& config, bool strict,
                                                  std::vector<std::string>& problems) {
  std::vector<std::string> missing;
  bool may_come = false;
  for (size_t i = 0; i < config.tenants.size(); ++i) {
    const Tenant& tenant = tenants_.emplace_back(Follow(config, i, {}));
    const absl::Status read = tenant.secret->Read();
    if (read.ok()) continue;
    may_come = may_come || absl::IsUnavailable(read);
    missing.push_back(absl::StrCat("tenants[", i, "].api_key: ", read.message()));
  }
  if (strict || (missing.size() == tenants_.size() && !may_come)) {
    problems.insert(problems.end(), missing.begin(), missing.end());
  }
  return missing;
}

void Credentials::ReplaceTenants(const Config& config) {
  const std::vector<Tenant> before = std::exchange(tenants_, {});
  for (size_t i = 0; i < config.tenants.size(); ++i) {
    const Tenant& tenant = tenants_.emplace_back(Follow(config, i, before));
    const bool is_kept = std::any_of(before.begin(), before.end(), [&](const Tenant& one) {
      return one.secret == tenant.secret;
    });
    if (!is_kept) static_cast<void>(tenant.secret->Read());
  }
}

Tenant Credentials::Follow(const Config& config, size_t place, const std::vector<Tenant>& before) {
  const Config::Tenant& wanted = config.tenants[place];
  Tenant tenant{.name = wanted.name,
                .tenant_id = wanted.tenant_id,
                .keys = {},
                .secret = {},
                .tally = std::make_shared<TenantTally>()};
  const auto same = std::find_if(before.begin(), before.end(), [&](const Tenant& one) {
    return one.name == wanted.name && one.tenant_id == wanted.tenant_id;
  });
  if (same != before.end()) {
    tenant.keys = same->keys;
    tenant.tally = same->tally;
    if (same->secret->source() == wanted.api_key) {
      tenant.secret = same->secret;
      return tenant;
    }
  } else {
    tenant.keys = std::make_shared<TenantKeys>(wanted.tenant_id, config.secrets.overlap);
  }
  const auto on_value = [keys = tenant.keys, tally = tenant.tally, name = tenant.name,
                         this](absl::string_view value) {
    const bool is_first = !keys->Best(Clock::now());
    const bool is_new = keys->Offer(value, Clock::now());
    tally->KeyRead(is_new, std::chrono::system_clock::now());
    if (is_new && (!is_first || is_loaded_))
      reports_.on_news(absl::StrCat("the API key of the tenant ", name));
  };
  const auto on_problem = [name = tenant.name, this](const absl::Status& problem) {
    if (is_loaded_)
      reports_.on_problem({problem.code(), absl::StrCat("the API key of the tenant ", name, ": ",
                                                        problem.message())});
  };
  tenant.secret = secrets_.Follow(wanted.api_key, {on_value, on_problem});
  return tenant;
}

void Credentials::Reload() {
  const auto tell = [&](const absl::StatusOr<bool>& reloaded, const char* what) {
    if (!reloaded.ok()) {
      reports_.on_problem(reloaded.status());
    } else if (*reloaded) {
      reports_.on_news(what);
    }
  };
  if (tls_ != nullptr) tell(tls_->Reload(), "the certificate for new connections");
  if (tokens_ != nullptr) tell(tokens_->Load(), "the keys that tokens are verified with");
  secrets_.RefreshFiles();
}

std::vector<std::string> Credentials::files() const {
  std::vector<std::string> files;
  if (tls_ != nullptr) {
    const TlsFiles& of_tls = tls_->files();
    files = {of_tls.cert_file, of_tls.key_file};
    if (!of_tls.client_ca_file.empty()) files.push_back(of_tls.client_ca_file);
  }
  if (tokens_ != nullptr) {
    for (const std::string& file : tokens_->files()) files.push_back(file);
  }
  for (const Tenant& tenant : tenants_) {
    const SecretSource& source = tenant.secret->source();
    if (source.kind == SecretSource::Kind::kFile) files.push_back(source.place);
  }
  return files;
}

}  // namespace idv
