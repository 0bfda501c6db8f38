#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/random/random.h>
#include <absl/strings/string_view.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace idv {

// The upstream's answers that one tenant's calls may be given again. Knows no route, no clock and
// no disk: a key is whatever tells two requests apart, and the wall time is an argument, since ages
// outlive the process. A clock that is set back makes no answer older or younger than one that was
// fetched just then. Thread-safe: one mutex, never held across a call out.
class AnswerCache {
 public:
  using WallTime = std::chrono::system_clock::time_point;
  // Protobuf's wire bytes; never null.
  using Message = std::shared_ptr<const std::string>;

  // How long after the upstream could not be asked it is worth asking again.
  static constexpr std::chrono::seconds kRenewalPause{30};

  // How old an answer may be, counted from when it was fetched, to be given. Each is taken to be at
  // least the one before, and at most ten years; all zero: the answer is not stored.
  struct Lifetime {
    std::chrono::milliseconds fresh{};           // as it is
    std::chrono::milliseconds stale{};           // while another one is fetched
    std::chrono::milliseconds stale_if_error{};  // when no other one can be had
    bool is_kept = false;                        // on disk, so it must be without personal data
  };

  enum class Use { kNone, kFresh, kWhileRenewed, kInPlaceOfError };

  struct Found {
    Use use = Use::kNone;
    // The rest is there unless `use` is kNone.
    Message message;
    std::string etag;  // "" if the upstream has named none
    // It is past fresh, and asking has not just failed. Every caller is told so: that one of them
    // asks is theirs to see to.
    bool is_renewal_due = false;
    WallTime fetched_at;
  };

  // For a page.
  struct Summary {
    size_t entries = 0;
    size_t bytes = 0;
    // Past fresh, and may still be given.
    size_t stale_entries = 0;
    std::optional<WallTime> oldest_stale_fetched_at;
    std::optional<WallTime> oldest_fetched_at;  // of all
  };

  // What outlives the process.
  struct Kept {
    std::string key;
    std::string etag;
    Message message;
    WallTime fetched_at;
  };

  // `max_bytes`: of keys, etags and messages together; the book-keeping comes on top (about 350
  // bytes each). Beyond it go the answers that cannot be given any longer, then those used longest
  // ago.
  explicit AnswerCache(size_t max_bytes) : max_bytes_(max_bytes) {}

  // The answer, which counts as used now. One past everything is removed.
  Found Find(absl::string_view key, WallTime now);

  // Takes the place of the answer before, which goes even if the new one cannot be stored: when it
  // alone is more than `max_bytes`, or may not be given again. It counts as fresh for 90 to 100 %
  // of `fresh`, so that answers fetched together do not have to be renewed together; for the rest
  // of `fresh` it may be given while another one is fetched. Without effect when something was
  // dropped since drops() was `drops`: the answer may have been overtaken.
  void Put(absl::string_view key, Message message, absl::string_view etag, const Lifetime& lifetime,
           WallTime now, std::optional<uint64_t> drops = std::nullopt);

  // The upstream says that the answer is still the same (304): it counts as fetched now. Without
  // effect when it has gone meanwhile, as the rest.
  void Renew(absl::string_view key, WallTime now);

  // The upstream could not be asked: the next renewal is due after kRenewalPause.
  void RenewalFailed(absl::string_view key, WallTime now);

  void Drop(absl::string_view key);
  // How often that was done, whether there was something or not.
  uint64_t drops() const;

  // Goes through all answers.
  Summary summary(WallTime now) const;

  // Those that are kept, the one used last first. Goes through all answers.
  std::vector<Kept> kept() const;

  // Grows whenever what kept() returns changes, other than in its order; 0 before anything was
  // kept.
  uint64_t kept_version() const;

  // Takes over what kept() returned, as used before all that is there. Left out is what is past
  // `stale_if_error`, what is not newer than the answer that is there, and what does not fit.
  void Restore(std::vector<Kept> kept, const Lifetime& lifetime, WallTime now);

 private:
  struct Entry {
    Kept answer;
    Lifetime lifetime;
    std::chrono::milliseconds fresh;  // shortened at random
    std::optional<WallTime> renewal_failed_at;
    // When it is past everything; in ends_.
    std::multimap<WallTime, absl::string_view>::iterator end;
  };
  using Entries = std::list<Entry>;

  static size_t BytesOf(const Kept& answer);
  static Use UseOf(const Entry& entry, WallTime now);
  static bool IsPaused(const Entry& entry, WallTime now);
  Entry* EntryOf(absl::string_view key);
  void Insert(Entries::iterator before, Kept answer, const Lifetime& lifetime);
  void Remove(Entries::iterator entry);
  void RemoveEnded(WallTime now);
  void SetFetchedAt(Entry& entry, WallTime at);
  void TakeBack(Entry& entry, WallTime now);
  std::chrono::milliseconds Shortened(std::chrono::milliseconds fresh);

  const size_t max_bytes_;

  mutable std::mutex mutex_;
  // Protected by mutex_:
  Entries entries_;  // the one used last first
  // Their keys lie in the entries.
  absl::flat_hash_map<absl::string_view, Entries::iterator> by_key_;
  std::multimap<WallTime, absl::string_view> ends_;
  size_t bytes_ = 0;
  uint64_t kept_version_ = 0;
  uint64_t drops_ = 0;
  absl::BitGen random_;
};

}  // namespace idv
