#include "upstream/answer_cache.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace idv {
namespace {

using std::chrono::milliseconds;

// Far beyond what is of use, and far from where times overflow.
constexpr std::chrono::hours kLongest{24 * 365 * 10};

AnswerCache::Lifetime Ordered(AnswerCache::Lifetime lifetime) {
  const milliseconds longest(kLongest);
  lifetime.fresh = std::clamp(lifetime.fresh, milliseconds(0), longest);
  lifetime.stale = std::clamp(lifetime.stale, lifetime.fresh, longest);
  lifetime.stale_if_error = std::clamp(lifetime.stale_if_error, lifetime.stale, longest);
  return lifetime;
}

}  // namespace

AnswerCache::Found AnswerCache::Find(absl::string_view key, WallTime now) {
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return {};
  Entry& entry = *found->second;
  TakeBack(entry, now);
  const Use use = UseOf(entry, now);
  if (use == Use::kNone) {
    Remove(found->second);
    return {};
  }
  entries_.splice(entries_.begin(), entries_, found->second);
  const bool is_renewal_due = use != Use::kFresh && !IsPaused(entry, now);
  const Kept& answer = entry.answer;
  return {use, answer.message, answer.etag, is_renewal_due, answer.fetched_at};
}

void AnswerCache::Put(absl::string_view key, Message message, absl::string_view etag,
                      const Lifetime& lifetime, WallTime now, std::optional<uint64_t> drops) {
  Kept answer{std::string(key), std::string(etag), std::move(message), now};
  const Lifetime ordered = Ordered(lifetime);
  const std::lock_guard lock(mutex_);
  if (drops && *drops != drops_) return;
  if (const auto before = by_key_.find(key); before != by_key_.end()) Remove(before->second);
  if (ordered.stale_if_error.count() == 0 || BytesOf(answer) > max_bytes_) return;
  Insert(entries_.begin(), std::move(answer), ordered);
  if (bytes_ > max_bytes_) RemoveEnded(now);
  while (bytes_ > max_bytes_) Remove(std::prev(entries_.end()));
}

void AnswerCache::Renew(absl::string_view key, WallTime now) {
  const std::lock_guard lock(mutex_);
  Entry* const entry = EntryOf(key);
  if (entry == nullptr) return;
  entry->fresh = Shortened(entry->lifetime.fresh);
  entry->renewal_failed_at.reset();
  SetFetchedAt(*entry, now);
}

void AnswerCache::RenewalFailed(absl::string_view key, WallTime now) {
  const std::lock_guard lock(mutex_);
  if (Entry* const entry = EntryOf(key)) entry->renewal_failed_at = now;
}

void AnswerCache::Drop(absl::string_view key) {
  const std::lock_guard lock(mutex_);
  ++drops_;
  if (const auto found = by_key_.find(key); found != by_key_.end()) Remove(found->second);
}

uint64_t AnswerCache::drops() const {
  const std::lock_guard lock(mutex_);
  return drops_;
}

AnswerCache::Summary AnswerCache::summary(WallTime now) const {
  const std::lock_guard lock(mutex_);
  Summary summary{.entries = entries_.size(), .bytes = bytes_};
  const auto note = [](std::optional<WallTime>& oldest, WallTime fetched_at) {
    oldest = std::min(oldest.value_or(fetched_at), fetched_at);
  };
  for (const Entry& entry : entries_) {
    note(summary.oldest_fetched_at, entry.answer.fetched_at);
    const Use use = UseOf(entry, now);
    if (use == Use::kFresh || use == Use::kNone) continue;
    ++summary.stale_entries;
    note(summary.oldest_stale_fetched_at, entry.answer.fetched_at);
  }
  return summary;
}

std::vector<AnswerCache::Kept> AnswerCache::kept() const {
  const std::lock_guard lock(mutex_);
  std::vector<Kept> kept;
  for (const Entry& entry : entries_) {
    if (entry.lifetime.is_kept) kept.push_back(entry.answer);
  }
  return kept;
}

uint64_t AnswerCache::kept_version() const {
  const std::lock_guard lock(mutex_);
  return kept_version_;
}

void AnswerCache::Restore(std::vector<Kept> kept, const Lifetime& lifetime, WallTime now) {
  const Lifetime ordered = Ordered(lifetime);
  const std::lock_guard lock(mutex_);
  RemoveEnded(now);
  for (Kept& answer : kept) {
    answer.fetched_at = std::min(answer.fetched_at, now);
    if (now - answer.fetched_at >= ordered.stale_if_error) continue;
    if (const auto there = by_key_.find(answer.key); there != by_key_.end()) {
      if (there->second->answer.fetched_at >= answer.fetched_at) continue;
      Remove(there->second);
    }
    if (BytesOf(answer) > max_bytes_ - bytes_) continue;
    Insert(entries_.end(), std::move(answer), ordered);
  }
}

size_t AnswerCache::BytesOf(const Kept& answer) {
  return answer.key.size() + answer.etag.size() + answer.message->size();
}

AnswerCache::Use AnswerCache::UseOf(const Entry& entry, WallTime now) {
  const auto age = now - std::min(entry.answer.fetched_at, now);
  if (age < entry.fresh) return Use::kFresh;
  if (age < entry.lifetime.stale) return Use::kWhileRenewed;
  if (age < entry.lifetime.stale_if_error) return Use::kInPlaceOfError;
  return Use::kNone;
}

bool AnswerCache::IsPaused(const Entry& entry, WallTime now) {
  return entry.renewal_failed_at && now - *entry.renewal_failed_at < kRenewalPause;
}

AnswerCache::Entry* AnswerCache::EntryOf(absl::string_view key) {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : &*found->second;
}

void AnswerCache::Insert(Entries::iterator before, Kept answer, const Lifetime& lifetime) {
  const auto entry = entries_.insert(
      before, Entry{std::move(answer), lifetime, Shortened(lifetime.fresh), {}, ends_.end()});
  by_key_.emplace(entry->answer.key, entry);
  bytes_ += BytesOf(entry->answer);
  SetFetchedAt(*entry, entry->answer.fetched_at);
}

void AnswerCache::Remove(Entries::iterator entry) {
  if (entry->lifetime.is_kept) ++kept_version_;
  bytes_ -= BytesOf(entry->answer);
  ends_.erase(entry->end);
  by_key_.erase(entry->answer.key);
  entries_.erase(entry);
}

void AnswerCache::RemoveEnded(WallTime now) {
  while (!ends_.empty() && ends_.begin()->first <= now) {
    Remove(by_key_.find(ends_.begin()->second)->second);
  }
}

void AnswerCache::SetFetchedAt(Entry& entry, WallTime at) {
  entry.answer.fetched_at = at;
  if (entry.end != ends_.end()) ends_.erase(entry.end);
  entry.end = ends_.emplace(at + entry.lifetime.stale_if_error, entry.answer.key);
  if (entry.lifetime.is_kept) ++kept_version_;
}

// When the clock was set back: else what lies in the future would stay young until it is reached.
void AnswerCache::TakeBack(Entry& entry, WallTime now) {
  if (entry.answer.fetched_at > now) SetFetchedAt(entry, now);
  if (entry.renewal_failed_at > now) entry.renewal_failed_at = now;
}

milliseconds AnswerCache::Shortened(milliseconds fresh) {
  const auto most = fresh.count();
  return milliseconds(absl::Uniform(absl::IntervalClosed, random_, most - most / 10, most));
}

}  // namespace idv
