#pragma once

#include <absl/status/statusor.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "upstream/account.h"
#include "upstream/breaker.h"
#include "upstream/budget.h"
#include "upstream/loop/cancellation.h"
#include "upstream/loop/loop.h"
#include "upstream/loop/task.h"
#include "upstream/redis/shared_allowance.h"
#include "upstream/stretch.h"
#include "upstream/upstream.h"

namespace idv {

// That one request may be made for a tenant: its allowance has room for it, also by what other
// gateways have spent if they count together, and its circuit is closed.
class Clearance {
 public:
  // Waits in turn, up to the deadline, which may be put off meanwhile; puts the waits, if there
  // were any, down in `stretches`. While Redis is out of reach, only this gateway is counted.
  // Borrows all but the waiter. Errors:
  //   UPSTREAM_CIRCUIT_OPEN  with the time of the next try
  //   BUDGET_EXHAUSTED       its turn would come too late, or another caller's call took its place;
  //                          with the time at which there is room
  //   DEADLINE_IN_QUEUE      others came before it, up to the deadline
  //   CALLER_CANCELLED
  static Task<absl::StatusOr<Clearance>> Await(Account& account, Account::Kind kind,
                                               std::shared_ptr<Budget::Waiter> waiter, Loop& loop,
                                               const std::atomic<TimePoint>& deadline,
                                               Cancellation& cancel, Stretches& stretches);

  // What came of the request. It is settled as never sent otherwise.
  void Settle(const absl::Status& status, const CallReport& report, TimePoint now);

 private:
  Clearance(Budget::Permit permit, std::optional<SharedAllowance::Permit> shared,
            Breaker::Pass pass, TimePoint now)
      : permit_(std::move(permit)),
        shared_(std::move(shared)),
        pass_(std::move(pass)),
        began_(now) {}

  Budget::Permit permit_;
  std::optional<SharedAllowance::Permit> shared_;  // nothing: only this gateway counts
  Breaker::Pass pass_;
  TimePoint began_;
};

// Why the upstream is not asked.
absl::Status CircuitOpen(std::chrono::milliseconds wait);
absl::Status LateInQueue();
absl::Status BudgetExhausted(std::chrono::milliseconds wait);

}  // namespace idv
