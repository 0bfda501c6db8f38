#include "upstream/clearance.h"

#include <absl/strings/str_format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "upstream/failure.h"
#include "upstream/loop/event.h"

namespace idv {
namespace {

using std::chrono::milliseconds;

// A request that is sent later than this before the deadline has hardly the time for an answer, and
// would be spent for nothing.
constexpr milliseconds kAnswerReserve{100};

// An upstream that has not answered by then says something of itself; before, it is the caller's
// deadline that was short.
constexpr milliseconds kPatience{2000};

// Between two looks at what time alone has changed.
constexpr milliseconds kShortest{1};

milliseconds Until(TimePoint then, TimePoint now) {
  return std::max(milliseconds(1), std::chrono::ceil<milliseconds>(then - now));
}

std::string Seconds(milliseconds time) {
  return absl::StrFormat("%.1f s", static_cast<double>(time.count()) / 1000);
}

// Of one coroutine, that other threads tell of.
struct Change {
  explicit Change(Loop& loop) : event(loop) {}
  Event event;
};

// Until it is decided on, or not worth it any more.
Task<> AwaitDecision(Budget& budget, std::shared_ptr<Budget::Waiter> waiter,
                     std::shared_ptr<Change> change, Loop& loop,
                     const std::atomic<TimePoint>& deadline, Cancellation& cancel) {
  const auto wake = [change] { change->event.Set(); };
  const Cancellation::Listener on_cancel(cancel, wake);
  Timer timer(loop.timers(), wake);
  for (;;) {
    const TimePoint now = Clock::now();
    const TimePoint next = budget.Decide(now);
    const bool waits = budget.Look(*waiter, now).kind == Budget::Standing::Kind::kWaiting;
    if (!waits || cancel.fired() || now >= deadline.load()) co_return;
    timer.Set(std::min(std::max(next, now + kShortest), deadline.load()));
    co_await change->event;
  }
}

Task<absl::StatusOr<Budget::Permit>> AwaitPermit(Budget& budget,
                                                 std::shared_ptr<Budget::Waiter> waiter, Loop& loop,
                                                 const std::atomic<TimePoint>& deadline,
                                                 Cancellation& cancel, Stretches& stretches) {
  using Kind = Budget::Standing::Kind;
  if (cancel.fired()) co_return CallerCancelled();
  std::optional<Budget::Permit> permit = budget.TryTake(*waiter, Clock::now());
  if (permit) co_return *std::move(permit);

  const auto change = std::make_shared<Change>(loop);
  waiter->SetOnDecided([&loop, change] { loop.Post([change] { change->event.Set(); }); });
  TimePoint now = Clock::now();
  Budget::Standing standing = budget.Ask(waiter, deadline.load() - kAnswerReserve, now);
  if (standing.kind == Kind::kWaiting) {
    Task<> awaiting = AwaitDecision(budget, waiter, change, loop, deadline, cancel);
    const TimePoint asked = now;
    co_await awaiting;
    now = Clock::now();
    stretches.push_back({.kind = Stretch::Kind::kWait, .began = asked, .ended = now});
    standing = budget.Look(*waiter, now);
  }
  if (standing.kind == Kind::kGranted && !cancel.fired()) co_return budget.Take(*waiter);
  budget.Withdraw(waiter, now);
  if (cancel.fired()) co_return CallerCancelled();
  if (standing.kind == Kind::kWaiting) co_return LateInQueue();
  co_return BudgetExhausted(Until(standing.turn, now));
}

// Whether others count too, and there is something to count.
bool IsShared(const Account& account) {
  if (account.shared == nullptr || account.budget.is_unlimited()) return false;
  return account.budget.limits() != Allowance::Limits();
}

// What was waited for since there were so many, as one.
void Join(Stretches& stretches, size_t before) {
  if (stretches.size() <= before + 1) return;
  stretches[before].ended = stretches.back().ended;
  stretches.resize(before + 1);
}

Breaker::Outcome OutcomeOf(const absl::Status& status, const CallReport& report,
                           Clock::duration took) {
  using Outcome = Breaker::Outcome;
  if (status.ok()) return Outcome::kSuccess;
  if (FailureOf(status).blame != Blame::kVendor) {
    return report.http_status == 0 ? Outcome::kUnknown : Outcome::kSuccess;
  }
  const bool was_impatient =
      absl::IsDeadlineExceeded(status) && report.http_status == 0 && took < kPatience;
  return was_impatient ? Outcome::kUnknown : Outcome::kFailure;
}

}  // namespace

absl::Status LateInQueue() {
  return Fail(reason::kDeadlineInQueue,
              "the deadline passed while the call waited for its turn to spend the tenant's "
              "allowance at the upstream");
}

absl::Status CircuitOpen(milliseconds wait) {
  return Fail(reason::kUpstreamCircuitOpen,
              absl::StrFormat("the upstream has failed too often lately and is asked again in %s",
                              Seconds(wait)),
              {.retry_after = wait});
}

absl::Status BudgetExhausted(milliseconds wait) {
  return Fail(reason::kBudgetExhausted,
              absl::StrFormat("the upstream's allowance for the tenant is spent; there is room for "
                              "this call in %s, which is after its deadline",
                              Seconds(wait)),
              {.retry_after = wait});
}

Task<absl::StatusOr<Clearance>> Clearance::Await(Account& account, Account::Kind kind,
                                                 std::shared_ptr<Budget::Waiter> waiter, Loop& loop,
                                                 const std::atomic<TimePoint>& deadline,
                                                 Cancellation& cancel, Stretches& stretches) {
  Breaker& breaker = account.BreakerOf(kind);
  if (const auto wait = breaker.Wait(Clock::now())) co_return CircuitOpen(*wait);
  std::optional<SharedAllowance::Permit> shared;
  const size_t before = stretches.size();
  for (;;) {
    Task<absl::StatusOr<Budget::Permit>> awaiting =
        AwaitPermit(account.budget, waiter, loop, deadline, cancel, stretches);
    absl::StatusOr<Budget::Permit> permit = co_await awaiting;
    Join(stretches, before);
    if (!permit.ok()) co_return permit.status();
    if (IsShared(account)) {
      const TimePoint asked = Clock::now();
      Task<SharedAllowance::Answer> taking =
          account.shared->Take(account.budget.limits(), loop, deadline.load(), cancel);
      SharedAllowance::Answer answer = co_await taking;
      const TimePoint now = Clock::now();
      stretches.push_back({.kind = Stretch::Kind::kWait, .began = asked, .ended = now});
      Join(stretches, before);
      if (cancel.fired()) co_return CallerCancelled();
      if (now >= deadline.load()) co_return LateInQueue();
      if (answer.wait) {
        // Others have spent it. It is waited for in turn, as what this gateway has spent.
        permit->Spend(0, {.retry_after = answer.wait, .is_refused = true}, now);
        continue;
      }
      if (answer.permit) shared.emplace(*std::move(answer.permit));
    }
    // It may have opened meanwhile.
    const TimePoint now = Clock::now();
    std::optional<Breaker::Pass> pass = breaker.Enter(now);
    if (!pass) co_return CircuitOpen(breaker.Wait(now).value_or(milliseconds(1)));
    co_return Clearance(*std::move(permit), std::move(shared), *std::move(pass), now);
  }
}

void Clearance::Settle(const absl::Status& status, const CallReport& report, TimePoint now) {
  if (report.sent.times > 0) {
    permit_.Spend(report.sent.times, report.rate_limit, now);
    if (shared_) shared_->Spend(report.sent.times, report.rate_limit);
  }
  pass_.End(OutcomeOf(status, report, now - began_), now);
}

}  // namespace idv
