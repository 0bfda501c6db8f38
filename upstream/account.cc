#include "upstream/account.h"

#include <utility>

namespace idv {

using kora::idv::gateway::v1::REPEAT_SAFETY_SAFE;

Account::Account(const Options& options, std::shared_ptr<SharedAllowance> shared_allowance)
    : budget(options.budget),
      shared(std::move(shared_allowance)),
      retries(options.retry_budget),
      breakers{Breaker(options.breaker), Breaker(options.breaker), Breaker(options.breaker)} {}

void Account::SetOptions(const Options& options, TimePoint now) {
  budget.SetOptions(options.budget, now);
  retries.SetShare(options.retry_budget);
  for (Breaker& breaker : breakers) breaker.SetOptions(options.breaker);
}

Account::Kind KindOf(const Route& route) {
  if (route.options().repeat_safety() == REPEAT_SAFETY_SAFE) return Account::Kind::kRead;
  const bool is_upload = route.takes_images() || route.method().client_streaming();
  return is_upload ? Account::Kind::kUpload : Account::Kind::kWrite;
}

absl::string_view NameOf(Account::Kind kind) {
  switch (kind) {
    case Account::Kind::kRead:
      return "read";
    case Account::Kind::kWrite:
      return "write";
    case Account::Kind::kUpload:
      return "upload";
  }
  return "";
}

}  // namespace idv
