#include "upstream/breaker.h"

#include <algorithm>

namespace idv {

using std::chrono::milliseconds;

void Breaker::SetOptions(const Options& options) {
  const std::lock_guard lock(mutex_);
  options_ = options;
  if (options_.failures > 0) return;
  state_ = State::kClosed;
  counts_.fill({});
}

std::optional<milliseconds> Breaker::Wait(TimePoint now) const {
  const std::lock_guard lock(mutex_);
  return WaitLocked(now);
}

Breaker::State Breaker::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

std::optional<milliseconds> Breaker::WaitLocked(TimePoint now) const {
  if (state_ == State::kClosed || now >= next_try_) return std::nullopt;
  return std::chrono::ceil<milliseconds>(next_try_ - now);
}

std::optional<Breaker::Pass> Breaker::Enter(TimePoint now) {
  const std::lock_guard lock(mutex_);
  if (WaitLocked(now)) return std::nullopt;
  if (state_ == State::kClosed) return Pass(this, /*probe=*/0);
  // A probe without an outcome by the next try is not waited for any longer.
  state_ = State::kHalfOpen;
  next_try_ = now + options_.open_for;
  return Pass(this, ++last_probe_);
}

void Breaker::End(uint64_t probe, Outcome outcome, TimePoint now) {
  const std::lock_guard lock(mutex_);
  if (options_.failures == 0) return;
  if (probe == 0) {
    // What was sent before it opened says nothing new of it.
    if (state_ == State::kClosed) Count(outcome, now);
    return;
  }
  if (state_ != State::kHalfOpen) return;
  // Of one that hung, only a success says more than that there is another one by now.
  if (probe != last_probe_ && outcome != Outcome::kSuccess) return;
  switch (outcome) {
    case Outcome::kSuccess:
      state_ = State::kClosed;
      counts_.fill({});
      break;
    case Outcome::kFailure:
      Open(now);
      break;
    case Outcome::kUnknown:  // another one may try at once
      state_ = State::kOpen;
      next_try_ = {};
      break;
  }
}

void Breaker::Count(Outcome outcome, TimePoint now) {
  if (outcome == Outcome::kUnknown) return;
  Advance(now);
  Counts& counts = counts_[static_cast<size_t>(part_)];
  ++counts.requests;
  if (outcome == Outcome::kSuccess) return;
  ++counts.failures;
  if (IsFailing()) Open(now);
}

bool Breaker::IsFailing() const {
  Counts sum;
  for (const Counts& counts : counts_) {
    sum.requests += counts.requests;
    sum.failures += counts.failures;
  }
  return sum.failures >= options_.failures && 2 * sum.failures >= sum.requests;
}

void Breaker::Open(TimePoint now) {
  state_ = State::kOpen;
  next_try_ = now + options_.open_for;
  counts_.fill({});
}

// Forgets the parts of the window that are over.
void Breaker::Advance(TimePoint now) {
  const auto part = std::max<Clock::duration>(options_.window / kParts, milliseconds(1));
  for (int i = 0; i < kParts && now >= part_began_ + part; ++i) {
    part_ = (part_ + 1) % kParts;
    counts_[static_cast<size_t>(part_)] = {};
    part_began_ += part;
  }
  if (now >= part_began_ + part) part_began_ = now;
}

}  // namespace idv
