#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

#include "upstream/loop/timers.h"

namespace idv {

// A circuit breaker: while the upstream fails, it is asked no more for a while, so that calls end
// early and it can recover; then a single request is let through, whose outcome decides. For one
// tenant and one kind of request. Thread-safe; knows no clock.
class Breaker {
 public:
  struct Options {
    // So many failures within `window`, if they are half of the requests or more, open it. 0:
    // never.
    int failures = 0;
    std::chrono::milliseconds window{};
    std::chrono::milliseconds open_for{};

    bool operator==(const Options&) const = default;
  };

  enum class Outcome {
    kSuccess,
    kFailure,
    // It says nothing of the upstream, as when the caller has gone.
    kUnknown,
  };

  enum class State { kClosed, kOpen, kHalfOpen };

  // To make one request. Its outcome is unknown unless it is told. Borrows the breaker.
  class Pass {
   public:
    Pass(Pass&& other) noexcept
        : breaker_(std::exchange(other.breaker_, nullptr)), probe_(other.probe_) {}
    Pass& operator=(Pass&&) = delete;
    ~Pass() {
      if (breaker_ != nullptr) breaker_->End(probe_, Outcome::kUnknown, {});
    }

    void End(Outcome outcome, TimePoint now) {
      std::exchange(breaker_, nullptr)->End(probe_, outcome, now);
    }

   private:
    friend Breaker;
    Pass(Breaker* breaker, uint64_t probe) : breaker_(breaker), probe_(probe) {}

    Breaker* breaker_;
    uint64_t probe_;  // its number; 0: it is none
  };

  explicit Breaker(const Options& options) : options_(options) {}

  void SetOptions(const Options& options);

  // How long calls are still refused; nothing: one may be let through.
  std::optional<std::chrono::milliseconds> Wait(TimePoint now) const;
  // Nothing when Wait() would say how long. While the outcome of a probe is awaited, that is
  // `open_for` at most.
  std::optional<Pass> Enter(TimePoint now);

  State state() const;

 private:
  // Of one part of the window.
  struct Counts {
    int requests = 0;
    int failures = 0;
  };
  static constexpr int kParts = 10;

  std::optional<std::chrono::milliseconds> WaitLocked(TimePoint now) const;
  void End(uint64_t probe, Outcome outcome, TimePoint now);
  void Count(Outcome outcome, TimePoint now);
  bool IsFailing() const;
  void Open(TimePoint now);
  void Advance(TimePoint now);

  mutable std::mutex mutex_;
  // Protected by mutex_:
  Options options_;
  State state_ = State::kClosed;
  uint64_t last_probe_ = 0;
  TimePoint next_try_;  // when open, or when half open the next one after a probe that hangs
  std::array<Counts, kParts> counts_{};
  int part_ = 0;
  TimePoint part_began_;
};

}  // namespace idv
