#include "gateway/accounts.h"

#include <absl/strings/ascii.h>

#include <string>
#include <utility>

namespace idv {

absl::StatusOr<std::unique_ptr<Accounts>> Accounts::Open(const Config& config,
                                                         ProblemReporter report_problem) {
  std::unique_ptr<Accounts> accounts(new Accounts);
  if (config.cache.snapshot_dir.empty()) return accounts;
  absl::StatusOr<std::unique_ptr<CacheSnapshots>> snapshots =
      CacheSnapshots::Open({.directory = config.cache.snapshot_dir}, std::move(report_problem));
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
