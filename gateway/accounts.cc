#include "gateway/accounts.h"

#include <absl/strings/ascii.h>

#include <string>
#include <utility>

#include "auth/secret.h"

namespace idv {
namespace {

// Empty, if there is none.
absl::StatusOr<std::string> PasswordIn(const std::string& file) {
  if (file.empty()) return std::string();
  const absl::StatusOr<Secret> password = ReadSecretFile(file);
  if (!password.ok()) return password.status();
  return password->value();
}

std::unique_ptr<RedisClient> Connect(const Config::Redis& redis,
                                     std::function<void(const absl::Status&)> report) {
  return std::make_unique<RedisClient>(
      RedisClient::Options{.connection = redis.connection,
                           .password = [file = redis.password_file] { return PasswordIn(file); },
                           .report = std::move(report)});
}

}  // namespace

absl::StatusOr<std::unique_ptr<Accounts>> Accounts::Open(const Config& config, Reports reports) {
  std::unique_ptr<Accounts> accounts(new Accounts);
  if (config.redis) accounts->redis_ = Connect(*config.redis, std::move(reports.redis));
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
    const Account::Options options{
        .budget = tenant.budget, .breaker = config.breaker, .retry_budget = config.retry.budget};
    const std::string id = absl::AsciiStrToLower(tenant.tenant_id);
    std::shared_ptr<Account>& account = accounts_[id];
    const auto known = former.find(id);
    if (account == nullptr && known != former.end()) {
      account = known->second;
      account->SetOptions(options, Clock::now());
    } else if (account == nullptr) {
      account = std::make_shared<Account>(
          options, redis_ == nullptr ? nullptr : std::make_shared<SharedAllowance>(*redis_, id));
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
