#include "upstream/tenant_keys.h"

#include <utility>

namespace idv {
namespace {

constexpr std::chrono::minutes kQuiet{1};

// How long a refusal counts. A gateway that is sent no calls, since it is not ready, would not find
// out otherwise that its key is taken again.
constexpr std::chrono::seconds kBelieved{30};

}  // namespace

TenantKeys::TenantKeys(std::string tenant_id, std::chrono::milliseconds overlap)
    : tenant_id_(std::move(tenant_id)), overlap_(overlap) {}

bool TenantKeys::Offer(absl::string_view api_key, TimePoint now) {
  const std::lock_guard lock(mutex_);
  if (newest_ && newest_->HasKey(api_key)) return false;
  former_ = std::exchange(newest_, Sender(tenant_id_, api_key));
  former_until_ = now + overlap_;
  is_former_best_ = false;
  is_refused_ = false;  // nothing bad is known of it
  return true;
}

bool TenantKeys::IsUsable(TimePoint now) {
  const std::lock_guard lock(mutex_);
  return newest_.has_value() && (!is_refused_ || now - refused_at_ >= kBelieved);
}

std::optional<Sender> TenantKeys::Best(TimePoint now) {
  const std::lock_guard lock(mutex_);
  Expire(now);
  return is_former_best_ ? former_ : newest_;
}

bool TenantKeys::HasNewerThan(const Sender& refused) const {
  const std::lock_guard lock(mutex_);
  return newest_ && *newest_ != refused && !is_former_best_;
}

std::optional<Sender> TenantKeys::InsteadOf(const Sender& refused, TimePoint now) {
  const std::lock_guard lock(mutex_);
  Expire(now);
  is_former_best_ = newest_ == refused && former_.has_value();
  const std::optional<Sender>& best = is_former_best_ ? former_ : newest_;
  return best == refused ? std::nullopt : best;
}

bool TenantKeys::Refused(TimePoint now) {
  const std::lock_guard lock(mutex_);
  refused_at_ = now;
  const bool is_news = !is_refused_.exchange(true);
  if (!is_news || (refusal_told_at_ && now - *refusal_told_at_ < kQuiet)) return false;
  refusal_told_at_ = now;
  is_refusal_told_ = true;
  return true;
}

bool TenantKeys::ToldOfAcceptance() {
  const std::lock_guard lock(mutex_);
  is_refused_ = false;
  return is_refusal_told_.exchange(false);
}

void TenantKeys::Expire(TimePoint now) {
  if (!former_ || now < former_until_) return;
  former_.reset();
  is_former_best_ = false;
}

}  // namespace idv
