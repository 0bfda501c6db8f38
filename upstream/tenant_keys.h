#pragma once

#include <absl/strings/string_view.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>

#include "upstream/loop/timers.h"
#include "upstream/sender.h"

namespace idv {

// The upstream's keys for one tenant while they are replaced. A new one is sent at once; the one
// before stays in reserve for a while, since the upstream may not know the new one yet, and takes
// its place while it alone is accepted. Thread-safe.
class TenantKeys {
 public:
  // `overlap`: how long a key is kept in reserve after it was replaced.
  TenantKeys(std::string tenant_id, std::chrono::milliseconds overlap);

  // Takes the key that there is now; false if it is the newest already.
  bool Offer(absl::string_view api_key, TimePoint now);

  // In whose name to send: with the newest key, unless the upstream takes the one before only.
  // Nothing while no key was offered.
  std::optional<Sender> Best(TimePoint now);

  // Whether there is a newer key than `refused` of which nothing bad is known.
  bool HasNewerThan(const Sender& refused) const;

  // In whose name to send again, when the key of `refused` was not accepted: with the newest, else
  // with the one before. Until that changes, it is the best one.
  std::optional<Sender> InsteadOf(const Sender& refused, TimePoint now);

  // The upstream has accepted a key, or has refused all there are. True if that is worth telling:
  // it is news, and of a refusal the first in a minute, since some upstream may refuse now and
  // then.
  bool Accepted() { return (is_refused_ || is_refusal_told_) && ToldOfAcceptance(); }
  bool Refused(TimePoint now);

  // Whether the upstream takes none of the keys, as far as was seen.
  bool is_refused() const { return is_refused_; }
  // Whether there is a key with which it is worth asking: it was not refused, or so long ago that
  // the upstream may have changed its mind.
  bool IsUsable(TimePoint now);

 private:
  bool ToldOfAcceptance();
  void Expire(TimePoint now);

  const std::string tenant_id_;
  const std::chrono::milliseconds overlap_;
  std::atomic<bool> is_refused_ = false;
  std::atomic<bool> is_refusal_told_ = false;

  mutable std::mutex mutex_;
  // Protected by mutex_:
  std::optional<Sender> newest_;
  std::optional<Sender> former_;
  TimePoint former_until_;
  bool is_former_best_ = false;
  std::optional<TimePoint> refusal_told_at_;
  TimePoint refused_at_;  // last
};

}  // namespace idv
