#include "gateway/attempts.h"

#include <absl/random/random.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "upstream/clearance.h"
#include "upstream/failure.h"
#include "upstream/loop/event.h"
#include "upstream/loop/wait.h"

namespace idv {
namespace {

using kora::idv::gateway::v1::REPEAT_SAFETY_SAFE;
using std::chrono::milliseconds;

constexpr int kRequestTimeout = 408;
constexpr int kServerErrors = 500;

// Whether another attempt may end otherwise.
bool IsTransient(const absl::Status& status, const CallReport& report) {
  const bool is_answered = report.http_status != 0;
  if (!is_answered) return absl::IsUnavailable(status);
  return report.http_status >= kServerErrors || report.http_status == kRequestTimeout ||
         report.rate_limit.is_refused;
}

// Whether another attempt cannot act twice.
bool IsSafe(const Route& route, const CallReport& report) {
  return route.options().repeat_safety() == REPEAT_SAFETY_SAFE || report.sent.is_unsent ||
         report.rate_limit.is_refused;
}

// Returns earlier if `cancel` fires.
Task<> Pause(Loop& loop, TimePoint until, Cancellation& cancel) {
  Event nothing(loop);
  Task<> waiting = WaitFor([] { return false; }, nothing, until, loop, cancel);
  co_await waiting;
}

// Before a repeat.
milliseconds WaitBefore(const Errand& errand, int attempts, const absl::Status& status) {
  thread_local absl::BitGen random;
  // The budget itself knows when there is room, and keeps the call's turn.
  if (errand.report.rate_limit.is_refused && !errand.account.budget.is_unlimited()) return {};
  const milliseconds backoff = BackoffAfter(attempts, errand.settings.retry, random);
  return std::max(backoff, FailureOf(status).retry_after.value_or(milliseconds(0)));
}

// What was waited for since `began`, until now.
void NoteWait(const Errand& errand, TimePoint began) {
  errand.report.stretches.push_back(
      {.kind = Stretch::Kind::kWait, .began = began, .ended = Clock::now()});
}

// One attempt, when it is its turn. `was_sent` tells whether there was one.
Task<absl::Status> Attempt(Shard& shard, Errand& errand, const Sender& sender, bool& was_sent) {
  was_sent = false;
  Account& account = errand.account;
  Stretches& stretches = errand.report.stretches;
  const size_t before = stretches.size();
  Task<absl::StatusOr<Clearance>> clearing =
      Clearance::Await(account, KindOf(errand.route), errand.waiter, shard.loop(), errand.deadline,
                       errand.cancel, stretches);
  absl::StatusOr<Clearance> clearance = co_await clearing;
  if (stretches.size() > before) errand.tenant.tally->CountWait(LengthOf(stretches.back()));
  if (!clearance.ok()) co_return clearance.status();
  absl::StatusOr<RestRequest> request = errand.request();
  if (!request.ok()) co_return request.status();
  SpanId span_id{};
  if (errand.propagation != nullptr) span_id = errand.propagation->AddTo(*request);
  was_sent = true;
  if (errand.on_send) errand.on_send();
  errand.out.clear();
  Task<absl::Status> calling =
      shard.upstream().Call(errand.route, *std::move(request), &sender, errand.deadline,
                            errand.cancel, errand.out, errand.report);
  absl::Status status = co_await calling;
  stretches.back().span_id = span_id;
  clearance->Settle(status, errand.report, Clock::now());
  errand.tenant.tally->CountRequest(errand.report.http_status);
  co_return status;
}

// Whether to repeat a request that was answered so, or not at all, and if, when.
std::optional<TimePoint> NextAttempt(const Errand& errand, int attempts,
                                     const absl::Status& status) {
  const CallReport& report = errand.report;
  if (attempts >= errand.settings.retry.max_attempts || !IsTransient(status, report) ||
      !IsSafe(errand.route, report)) {
    return std::nullopt;
  }
  const TimePoint next = Clock::now() + WaitBefore(errand, attempts, status);
  if (next >= errand.deadline.load() || !errand.account.retries.Spend()) return std::nullopt;
  return next;
}

Task<absl::Status> RunAttempts(Shard& shard, Errand& errand) {
  std::optional<Sender> sender = errand.tenant.keys->Best(Clock::now());
  if (!sender) co_return KeyMissing();
  bool is_other_key = false;
  absl::Status last;  // of an attempt
  for (int attempts = 1;;) {
    bool was_sent = false;
    Task<absl::Status> attempting = Attempt(shard, errand, *sender, was_sent);
    absl::Status status = co_await attempting;
    // What came of an attempt says more than why there was no other one.
    if (!was_sent && !last.ok() && !absl::IsCancelled(status)) co_return last;
    last = std::move(status);
    if (!was_sent || last.ok() || errand.cancel.fired()) co_return last;

    const TimePoint failed_at = Clock::now();
    if (errand.report.is_key_refused() && !is_other_key) {
      Task<std::optional<Sender>> looking =
          KeyInsteadOf(*sender, errand.tenant, shard.loop(), errand.deadline, errand.cancel);
      sender = co_await looking;
      NoteWait(errand, failed_at);
      if (!sender) co_return last;
      is_other_key = true;  // of which nothing was executed, so it is no repeat
    } else {
      const std::optional<TimePoint> next = NextAttempt(errand, attempts, last);
      if (!next) co_return last;
      Task<> pausing = Pause(shard.loop(), *next, errand.cancel);
      co_await pausing;
      NoteWait(errand, failed_at);
      ++attempts;
    }
    errand.observers.series.Repeated(FailureOf(last).reason);
    if (errand.cancel.fired()) co_return CallerCancelled();
  }
}

}  // namespace

absl::Status KeyMissing() {
  return Fail(reason::kTenantCredentialMissing,
              "this gateway has no API key for the tenant; its log says why",
              {.never_retry = true});
}

Task<absl::Status> RunErrand(Shard& shard, Errand errand) {
  errand.account.retries.Earn();
  Task<absl::Status> attempting = RunAttempts(shard, errand);
  absl::Status status = co_await attempting;
  ReportKey(errand.tenant, errand.report, errand.observers.report_key);
  co_return status;
}

}  // namespace idv
