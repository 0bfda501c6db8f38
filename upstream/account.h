#pragma once

#include <array>
#include <cstddef>
#include <memory>

#include "upstream/answer_cache.h"
#include "upstream/breaker.h"
#include "upstream/budget.h"
#include "upstream/redis/shared_allowance.h"
#include "upstream/retry.h"
#include "upstream/route.h"
#include "upstream/single_flight.h"

namespace idv {

// What all calls of one tenant share in spending what the upstream allows it. Thread-safe.
struct Account {
  struct Options {
    Budget::Options budget;
    Breaker::Options breaker;
    double retry_budget = 0;
  };

  // What a circuit breaker watches by itself: uploads may fail where reads work, and the reverse.
  enum class Kind { kRead, kWrite, kUpload };
  static constexpr size_t kKinds = 3;

  // Of answers that are kept.
  static constexpr size_t kMaxCacheBytes = size_t{1} << 20;

  explicit Account(const Options& options, std::shared_ptr<SharedAllowance> shared = nullptr);

  // For calls from now on.
  void SetOptions(const Options& options, TimePoint now);

  Breaker& BreakerOf(Kind kind) { return breakers[static_cast<size_t>(kind)]; }

  Budget budget;
  // Null: what other gateways spend is not counted.
  const std::shared_ptr<SharedAllowance> shared;
  RetryBudget retries;
  std::array<Breaker, kKinds> breakers;
  SingleFlight flights;
  AnswerCache reference{kMaxCacheBytes};
  // With personal data.
  AnswerCache verifications{kMaxCacheBytes};
};

Account::Kind KindOf(const Route& route);
// For people.
absl::string_view NameOf(Account::Kind kind);

}  // namespace idv
