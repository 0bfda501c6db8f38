#include "upstream/tenant_keys.h"

#include <utility>

namespace idv {
namespace {

constexpr std::chrono::minutes kQuiet{1};

}  // namespace

TenantKeys::TenantKeys(std::string tenant_id, std::chrono::milliseconds overlap)
    : tenant_id_(std::move(tenant_id)), overlap_(overlap) {}

bool TenantKeys::Offer(absl::string_view api_key, TimePoint now) {
  const std::lock_guard lock(mutex_);
  if (newest_ && newest_->HasKey(api_key)) return false;
  former_ = std::exchange(newest_, Sender(tenant_id_, api_key));
  former_until_ = now + overlap_;
  is_former_best_ = false;
  return true;
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
  const bool is_news = !is_refused_.exchange(true);
  if (!is_news || (refusal_told_at_ && now - *refusal_told_at_ < kQuiet)) return false;
  refusal_told_at_ = now;
  is_refusal_told_ = true;
  return true;
}

bool TenantKeys::ToldOfAcceptance() {
  const std::lock_guard lock(mutex_);
  is_refused_ = false;
  return std::exchange(is_refusal_told_, false);
}

void TenantKeys::Expire(TimePoint now) {
  if (!former_ || now < former_until_) return;
  former_.reset();
  is_former_best_ = false;
}

}  // namespace idv
