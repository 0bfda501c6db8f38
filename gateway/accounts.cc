#include "gateway/accounts.h"

#include <absl/strings/ascii.h>

#include <string>
#include <utility>

#include "auth/secret.h"

namespace idv {
namespace {

// Null: there is none.
std::function<absl::StatusOr<std::string>()> PasswordIn(const std::string& file) {
  if (file.empty()) return nullptr;
  return [file]() -> absl::StatusOr<std::string> {
    const absl::StatusOr<Secret> password = ReadSecretFile(file);
    if (!password.ok()) return password.status();
    return password->value();
  };
}

}  // namespace

absl::StatusOr<std::unique_ptr<Accounts>> Accounts::Open(const Config& config, Reports reports) {
  std::unique_ptr<Accounts> accounts(new Accounts);
  if (config.redis) {
    accounts->redis_ = std::make_unique<RedisClient>(
        RedisClient::Options{.connection = config.redis->connection,
                             .password = PasswordIn(config.redis->password_file),
                             .report = std::move(reports.redis)});
  }
  if (config.cache.snapshot_dir.empty()) return accounts;
  absl::StatusOr<std::unique_ptr<CacheSnapshots>> snapshots =
      CacheSnapshots::Open({.directory = config.cache.snapshot_dir}, std::move(reports.problem));
  if (!snapshots.ok()) return snapshots.status();
  accounts->snapshots_ = *std::move(snapshots);
  return accounts;
}

std::vector<std::shared_ptr<Account>> Accounts::For(const Config& config) {
  const auto former = std::exchange(accounts_, {});
  std::vector<std::shared_ptr<Account>> accounts;
  for (const Config::Tenant& tenant : config.tenants) {
    Account::Options options{
        .budget = tenant.budget, .breaker = config.breaker, .retry_budget = config.retry.budget};
    const std::string id = absl::AsciiStrToLower(tenant.tenant_id);
    std::shared_ptr<Account>& account = accounts_[id];
    const auto known = former.find(id);
    if (account == nullptr && known != former.end()) {
      account = known->second;
      account->SetOptions(options, Clock::now());
    } else if (account == nullptr) {
      if (redis_ != nullptr) options.shared = std::make_shared<SharedAllowance>(*redis_, id);
      account = std::make_shared<Account>(options);
      if (snapshots_ != nullptr) {
        const std::shared_ptr<AnswerCache> cache(account, &account->reference);
        snapshots_->Follow(id, cache, config.cache.reference);
      }
    }
    accounts.push_back(account);
  }
  return accounts;
}

}  // namespace idv
