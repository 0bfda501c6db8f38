#pragma once

#include <absl/random/bit_gen_ref.h>

#include <chrono>
#include <mutex>

namespace idv {

// How a request that failed is repeated.
struct RetryOptions {
  // Requests for one call, the first included.
  int max_attempts = 1;
  // The share of a tenant's calls that may be repeated.
  double budget = 0;
  // The first repeat comes after a random time of at most `base_delay` ("full jitter"), each
  // further one after one of at most twice as long, up to `max_delay`.
  std::chrono::milliseconds base_delay{};
  std::chrono::milliseconds max_delay{};

  bool operator==(const RetryOptions&) const = default;
};

// How many of a tenant's calls may be repeated, so that an upstream that fails for all of them is
// not asked several times as much: every call saves up a part of a repeat, and some can be saved
// up. Thread-safe.
class RetryBudget {
 public:
  // How many can be.
  static constexpr double kMost = 10;

  explicit RetryBudget(double share) : share_(share) {}

  void SetShare(double share);
  // A call is made.
  void Earn();
  // A repeat is made; false: it may not be.
  bool Spend();

 private:
  std::mutex mutex_;
  // Protected by mutex_:
  double share_;
  double saved_ = 0;
};

// How long to wait before the repeat that comes after so many requests.
std::chrono::milliseconds BackoffAfter(int attempts, const RetryOptions& options,
                                       absl::BitGenRef random);

}  // namespace idv
