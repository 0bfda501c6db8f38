#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>

#include "upstream/loop/timers.h"

namespace idv {

// A span of time in which the upstream answers so many requests: it begins with the first of them,
// and after its end the next one begins another. That is how far the upstream documents it; what
// its answers tell of the present window comes before what is counted here. Knows no clock. For
// one thread.
class RateWindow {
 public:
  // What is left without a limit.
  static constexpr int kNoLimit = std::numeric_limits<int>::max();

  explicit RateWindow(std::chrono::seconds length) : length_(length) {}

  // How many; kNoLimit: as many as the upstream says.
  void SetLimit(int limit);
  // The same in the upstream's words: the less of the two counts.
  void Tell(int limit);
  int limit() const;

  // All below ask that it was called with the same `now` before. `unanswered`: requests that were
  // counted and may not have reached the upstream yet, which may count them in the next window.
  void Roll(TimePoint now, int unanswered);

  // Windows so far.
  uint64_t number() const { return number_; }
  int left() const { return left_; }

  // Counts a request.
  void Take(TimePoint now);
  // One that was counted in that window was not sent. Nothing is left all the same where the
  // upstream, which has not counted it, said so.
  void GiveBack(uint64_t number);
  // One that was counted in that window has been answered: the upstream's has begun by now.
  void Confirm(uint64_t number, TimePoint now);
  // The upstream's word: so many are left in the window that ends at `reset` by its clock, and at
  // `end` or a little before by ours, if that is known. Of those that are `unanswered` it has
  // counted some.
  void Correct(int remaining, int unanswered, std::chrono::seconds reset,
               std::optional<TimePoint> end, TimePoint now);
  // Whether that was of the present window.
  bool IsToldOf(std::chrono::seconds reset) const;
  // The upstream's word: none is left, until then if it says so.
  void Exhaust(std::optional<TimePoint> until, TimePoint now);

  // When the next request may be sent, with so many others before it.
  TimePoint At(int ahead, TimePoint now) const;
  // The same for who leaves something to others: that share of what the window has for the time
  // that is left of it, so that none of it is lost in the end.
  TimePoint PacedAt(int ahead, TimePoint now, double reserve = 0.5) const;

 private:
  void Begin(int left, TimePoint end);

  const std::chrono::seconds length_;
  int configured_ = kNoLimit;
  int told_ = kNoLimit;
  uint64_t number_ = 0;
  int left_ = kNoLimit;
  std::optional<TimePoint> end_;  // none has begun without it
  bool is_confirmed_ = false;
  bool is_exhausted_ = false;                  // by the upstream's word
  bool is_told_ = false;                       // of this window, by Correct()
  std::optional<std::chrono::seconds> reset_;  // of the last one that was
};

}  // namespace idv
