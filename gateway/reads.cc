#include "gateway/reads.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "gateway/attempts.h"
#include "upstream/clearance.h"
#include "upstream/error_map.h"
#include "upstream/failure.h"
#include "upstream/final_status.h"
#include "upstream/loop/event.h"

namespace idv {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;
using Found = AnswerCache::Found;
using Use = AnswerCache::Use;
using kora::idv::gateway::v1::CACHING_FINAL_STATUS;
using kora::idv::gateway::v1::CACHING_REFERENCE;

// A flight that ends at a call's deadline knows best why.
constexpr milliseconds kFlightFirst{5};

// Where answers to such calls are kept, and for how long; nothing if they are not.
struct Shelf {
  AnswerCache* cache = nullptr;
  const AnswerCache::Lifetime* lifetime = nullptr;
};

Shelf ShelfOf(const Reading& reading) {
  const Config::Cache& settings = reading.settings->cache;
  const auto caching = reading.method->route.options().caching();
  if (caching == CACHING_REFERENCE) return {&reading.account->reference, &settings.reference};
  const bool keeps_verifications = settings.verification.fresh > milliseconds(0);
  if (caching == CACHING_FINAL_STATUS && keeps_verifications) {
    return {&reading.account->verifications, &settings.verification};
  }
  return {};
}

bool MayBeKept(const Reading& reading, const std::string& message) {
  const Route& route = reading.method->route;
  return route.options().caching() != CACHING_FINAL_STATUS ||
         HasFinalStatus(*route.method().output_type(), message);
}

// Whether an older answer is better than this one: the upstream has said nothing about what was
// asked.
bool IsNoAnswer(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsInternal(status) || absl::IsResourceExhausted(status);
}

// Whether a flight ended so for the sake of the call that began it only.
bool IsOfAnotherDeadline(const absl::Status& status) {
  if (absl::IsCancelled(status)) return true;
  const Failure failure = FailureOf(status);
  return (absl::IsDeadlineExceeded(status) && failure.http_status == 0) ||
         failure.reason == reason::kBudgetExhausted.name;
}

absl::Status Late(bool was_sent) {
  return was_sent ? ErrorMap::FromTransport(absl::DeadlineExceededError("")) : LateInQueue();
}

// Asks the upstream, and keeps what it says.
Task<ReadAnswer> Ask(Shard& shard, const Reading& reading, RestRequest request, const Found& known,
                     std::shared_ptr<Budget::Waiter> waiter, const std::atomic<TimePoint>& deadline,
                     Cancellation& cancel, std::function<void()> on_send) {
  const Shelf shelf = ShelfOf(reading);
  const std::string key = request.target;
  if (!known.etag.empty()) request.headers.emplace_back("If-None-Match", known.etag);
  uint64_t drops = 0;
  const auto on_attempt = [&] {
    if (shelf.cache != nullptr) drops = shelf.cache->drops();
    if (on_send) on_send();
  };
  std::string out;
  CallReport report;
  Errand errand{.settings = *reading.settings,
                .tenant = *reading.tenant,
                .account = *reading.account,
                .route = reading.method->route,
                .request = [&request]() -> absl::StatusOr<RestRequest> { return request; },
                .waiter = std::move(waiter),
                .deadline = deadline,
                .cancel = cancel,
                .on_send = on_attempt,
                .out = out,
                .report = report,
                .observers = *reading.observers,
                .propagation = reading.propagation ? &*reading.propagation : nullptr};
  Task<absl::Status> running = RunErrand(shard, std::move(errand));
  absl::Status status = co_await running;
  ReadAnswer answer{.status = std::move(status),
                    .message = {},
                    .attempts = report.attempts,
                    .stretches = std::move(report.stretches)};
  const auto now = system_clock::now();
  if (report.is_unchanged() && known.message != nullptr) {
    shelf.cache->Renew(key, now);
    answer.status = absl::OkStatus();
    answer.message = known.message;
  } else if (answer.status.ok()) {
    answer.message = std::make_shared<const std::string>(std::move(out));
    if (shelf.cache != nullptr && MayBeKept(reading, *answer.message)) {
      shelf.cache->Put(key, answer.message, report.etag, *shelf.lifetime, now, drops);
    }
  } else if (known.message != nullptr && IsNoAnswer(answer.status)) {
    shelf.cache->RenewalFailed(key, now);
  } else if (known.message != nullptr && !absl::IsCancelled(answer.status)) {
    shelf.cache->Drop(key);  // the upstream says that there is nothing of the kind, or not for us
  }
  co_return answer;
}

// Makes a flight: for whoever has joined it, beyond the call that began it.
Task<> Fly(Shard& shard, Reading reading, RestRequest request, Found known,
           std::shared_ptr<SingleFlight::Flight> flight) {
  const Shard::Presence presence(shard);
  SingleFlight& flights = reading.account->flights;
  Task<ReadAnswer> asking =
      Ask(shard, reading, std::move(request), known, flight->waiter(), flight->deadline(),
          flight->cancellation(), [&flights, &flight] { flights.Send(*flight); });
  ReadAnswer answer = co_await asking;
  flights.Land(flight, {std::move(answer.status), std::move(answer.message), answer.attempts,
                        std::move(answer.stretches)});
}

// The same when nobody waits for it.
Task<> FlyForNobody(Shard& shard, Reading reading, RestRequest request, Found known,
                    std::shared_ptr<SingleFlight::Flight> flight) {
  const RunningCalls::Entry running(shard.background(), flight->cancellation(),
                                    /*may_last=*/false);
  Task<> flying = Fly(shard, std::move(reading), std::move(request), std::move(known), flight);
  co_await flying;
}

void Renew(Shard& shard, Reading reading, RestRequest request, Found known) {
  const auto& timeout = reading.method->route.options().timeout();
  reading.deadline = Clock::now() + std::chrono::seconds(timeout.seconds());
  const SingleFlight::Wish wish{.key = request.target,
                                .caller = reading.caller,
                                .priority = Budget::Priority::kBatch,
                                .deadline = reading.deadline};
  std::shared_ptr<SingleFlight::Flight> flight = reading.account->flights.Begin(wish, shard.loop());
  if (flight == nullptr) return;
  Spawn(FlyForNobody(shard, std::move(reading), std::move(request), std::move(known),
                     std::move(flight)));
}

// What of a flight's time was also that of a call which joined it then.
Stretches Since(TimePoint joined, const Stretches& of_flight) {
  Stretches stretches;
  for (Stretch stretch : of_flight) {
    if (stretch.ended <= joined) continue;
    stretch.began = std::max(stretch.began, joined);
    stretches.push_back(stretch);
  }
  return stretches;
}

// Until the flight has landed, or this call waits no more.
Task<ReadAnswer> AwaitLanding(Shard& shard, const Reading& reading,
                              std::shared_ptr<SingleFlight::Flight> flight,
                              std::shared_ptr<SingleFlight::Joiner> joiner, Cancellation& cancel) {
  const TimePoint joined = Clock::now();
  bool is_late = false;
  {
    Event& changed = joiner->changed();
    const Cancellation::Listener on_cancel(cancel, [&changed] { changed.Set(); });
    Timer timer(shard.loop().timers(), [&] {
      is_late = true;
      changed.Set();
    });
    timer.Set(reading.deadline + kFlightFirst);
    while (joiner->answer() == nullptr && !is_late && !cancel.fired()) co_await changed;
  }
  if (const auto answer = joiner->answer(); answer != nullptr && !cancel.fired()) {
    co_return ReadAnswer{.status = answer->status,
                         .message = answer->message,
                         .attempts = answer->attempts,
                         .stretches = Since(joined, answer->stretches)};
  }
  const TimePoint now = Clock::now();
  reading.account->flights.Leave(flight, joiner, now);
  const int requests = flight->requests();
  const auto kind = requests > 0 ? Stretch::Kind::kUpstream : Stretch::Kind::kWait;
  co_return ReadAnswer{.status = cancel.fired() ? CallerCancelled() : Late(requests > 0),
                       .message = nullptr,
                       .attempts = requests,
                       .stretches = {{.kind = kind, .began = joined, .ended = now}}};
}

// When the flight would be sent too late for this call.
std::optional<absl::Status> RefuseToWait(const Reading& reading,
                                         const SingleFlight::Flight& flight) {
  const TimePoint now = Clock::now();
  const Budget::Standing standing = reading.account->budget.Look(*flight.waiter(), now);
  if (standing.kind != Budget::Standing::Kind::kWaiting || standing.turn <= reading.deadline) {
    return std::nullopt;
  }
  return BudgetExhausted(std::chrono::ceil<milliseconds>(standing.turn - now));
}

Task<ReadAnswer> AskTogether(Shard& shard, const Reading& reading, const RestRequest& request,
                             const Found& known, Cancellation& cancel) {
  Account& account = *reading.account;
  const SingleFlight::Wish wish{.key = request.target,
                                .caller = reading.caller,
                                .priority = reading.priority,
                                .deadline = reading.deadline};
  for (;;) {
    if (cancel.fired()) co_return ReadAnswer{CallerCancelled()};
    const auto joiner = std::make_shared<SingleFlight::Joiner>(shard.loop());
    const SingleFlight::Boarding boarding = account.flights.Join(wish, joiner);
    if (boarding.is_new) {
      Spawn(Fly(shard, reading, request, known, boarding.flight));
    } else {
      if (wish.priority == Budget::Priority::kInteractive) {
        account.budget.Hurry(boarding.flight->waiter(), Clock::now());
      }
      if (std::optional<absl::Status> refused = RefuseToWait(reading, *boarding.flight)) {
        account.flights.Leave(boarding.flight, joiner, Clock::now());
        co_return ReadAnswer{*std::move(refused)};
      }
    }
    Task<ReadAnswer> awaiting = AwaitLanding(shard, reading, boarding.flight, joiner, cancel);
    ReadAnswer answer = co_await awaiting;
    if (!boarding.is_new) answer.cache = "joined";
    const bool is_mine = boarding.is_new || answer.status.ok() || cancel.fired() ||
                         Clock::now() >= reading.deadline || !IsOfAnotherDeadline(answer.status);
    if (is_mine) co_return answer;
  }
}

Task<ReadAnswer> AskAlone(Shard& shard, const Reading& reading, RestRequest request,
                          const Found& known, Cancellation& cancel) {
  const std::atomic<TimePoint> deadline = reading.deadline;
  Task<ReadAnswer> asking =
      Ask(shard, reading, std::move(request), known,
          std::make_shared<Budget::Waiter>(reading.caller, reading.priority), deadline, cancel, {});
  ReadAnswer answer = co_await asking;
  co_return answer;
}

}  // namespace

Task<ReadAnswer> Read(Shard& shard, Reading reading, RestRequest request, Cancellation& cancel) {
  Found known;
  if (const Shelf shelf = ShelfOf(reading); shelf.cache != nullptr) {
    known = shelf.cache->Find(request.target, system_clock::now());
    const bool was_just_tried = known.use == Use::kInPlaceOfError && !known.is_renewal_due;
    if (known.use == Use::kFresh) co_return ReadAnswer{{}, known.message, 0, "hit"};
    if (known.use == Use::kWhileRenewed || was_just_tried) {
      if (known.is_renewal_due) Renew(shard, reading, std::move(request), known);
      co_return ReadAnswer{{}, known.message, 0, "stale"};
    }
  }
  Task<ReadAnswer> asking = reading.settings->cache.join_reads
                                ? AskTogether(shard, reading, request, known, cancel)
                                : AskAlone(shard, reading, request, known, cancel);
  ReadAnswer answer = co_await asking;
  if (known.use == Use::kInPlaceOfError && IsNoAnswer(answer.status)) {
    answer = {.status = {},
              .message = known.message,
              .attempts = answer.attempts,
              .cache = "stale",
              .stretches = std::move(answer.stretches)};
  }
  co_return answer;
}

}  // namespace idv
