#include "upstream/budget.h"

#include <algorithm>
#include <chrono>

namespace idv {
namespace {

using Priority = Budget::Priority;

// Of so many permits at least one goes to a batch call, if one waits.
constexpr int kBatchEvery = 8;

// What calls leave to interactive ones of callers that have had less, of what the window has for
// the rest of its time: batch calls, which are so spread over the window, and those of callers that
// have had their share.
constexpr double kReserveOfBatch = 1;
constexpr double kReserveOfMany = 0.5;

// After so long, it does not matter any more who called: about this window and the last one.
constexpr std::chrono::minutes kForgotten{2};

constexpr size_t PlaceOf(Priority priority) { return static_cast<size_t>(priority); }

}  // namespace

Budget::Permit::~Permit() {
  if (budget_ != nullptr) budget_->GiveBack(caller_, taken_);
}

void Budget::Permit::Spend(int times, const RateLimitNotice& notice, TimePoint now) {
  if (Budget* const budget = std::exchange(budget_, nullptr)) {
    budget->Settle(taken_, times, notice, now);
  }
}

Budget::Budget(const Options& options)
    : is_unlimited_(options.is_unlimited),
      allowance_(options.limits),
      queue_(static_cast<size_t>(options.queue)) {}

template <typename Change>
void Budget::ChangeAndGrant(TimePoint now, const Change& change) {
  Decided decided;
  {
    const std::lock_guard lock(mutex_);
    Roll(now);
    change();
    GrantWaiting(now, decided);
  }
  Tell(decided);
}

void Budget::SetOptions(const Options& options, TimePoint now) {
  ChangeAndGrant(now, [&] {
    is_unlimited_ = options.is_unlimited;
    allowance_.SetLimits(options.limits);
    queue_ = static_cast<size_t>(options.queue);
  });
}

Allowance::Limits Budget::limits() const {
  const std::lock_guard lock(mutex_);
  return allowance_.limits();
}

std::optional<Budget::Permit> Budget::TryTake(Waiter& waiter, TimePoint now) {
  if (is_unlimited_) return Permit();
  const std::lock_guard lock(mutex_);
  Roll(now);
  Caller& caller = callers_[waiter.caller_];
  caller.seen_at = now;
  if (waiting() > 0 || EarliestFor(caller, waiter.priority_, 0, now) > now) return std::nullopt;
  Grant(waiter, now);
  waiter.state_ = Waiter::State::kIdle;
  return Permit(this, waiter);
}

Budget::Standing Budget::Ask(const std::shared_ptr<Waiter>& waiter, TimePoint deadline,
                             TimePoint now) {
  Decided decided;
  Standing standing{Standing::Kind::kRefused, now};
  {
    const std::lock_guard lock(mutex_);
    Roll(now);
    waiter->number_ = ++last_number_;
    waiter->state_ = Waiter::State::kWaiting;
    Enqueue(waiter);
    callers_[waiter->caller_].seen_at = now;
    GrantWaiting(now, decided);
    standing.turn = TurnOf(*waiter, now);
    if (waiter->state_ == Waiter::State::kGranted) {
      standing = {Standing::Kind::kGranted, now};
      std::erase_if(decided, [&](const Decision& one) { return one.waiter == waiter.get(); });
    } else if (standing.turn <= deadline &&
               (waiting() <= queue_ || MakeRoomFor(callers_[waiter->caller_], decided))) {
      standing.kind = Standing::Kind::kWaiting;
    } else {
      Dequeue(*waiter);
      waiter->state_ = Waiter::State::kRefused;
    }
  }
  Tell(decided);
  return standing;
}

TimePoint Budget::Decide(TimePoint now) {
  Decided decided;
  TimePoint next;
  {
    const std::lock_guard lock(mutex_);
    GrantWaiting(now, decided);
    // While something is left, those that still wait leave it to others.
    const bool is_batch = waiting_[PlaceOf(Priority::kInteractive)] == 0;
    next = allowance_.left() > 0
               ? allowance_.PacedAt(0, now, is_batch ? kReserveOfBatch : kReserveOfMany)
               : allowance_.At(0, now);
  }
  Tell(decided);
  return next;
}

Budget::Standing Budget::Look(const Waiter& waiter, TimePoint now) {
  const std::lock_guard lock(mutex_);
  Roll(now);
  switch (waiter.state_) {
    case Waiter::State::kWaiting:
      return {Standing::Kind::kWaiting, TurnOf(waiter, now)};
    case Waiter::State::kRefused:
      return {Standing::Kind::kRefused, allowance_.At(static_cast<int>(waiting()), now)};
    default:
      return {Standing::Kind::kGranted, now};
  }
}

Budget::Permit Budget::Take(Waiter& waiter) {
  const std::lock_guard lock(mutex_);
  waiter.state_ = Waiter::State::kIdle;
  return {this, waiter};
}

void Budget::Withdraw(const std::shared_ptr<Waiter>& waiter, TimePoint now) {
  ChangeAndGrant(now, [&] {
    const auto state = std::exchange(waiter->state_, Waiter::State::kIdle);
    if (state == Waiter::State::kWaiting) Dequeue(*waiter);
    if (state == Waiter::State::kGranted) GiveBackLocked(waiter->caller_, waiter->taken_);
  });
}

void Budget::Hurry(const std::shared_ptr<Waiter>& waiter, TimePoint now) {
  ChangeAndGrant(now, [&] {
    const bool waits = waiter->state_ == Waiter::State::kWaiting && Dequeue(*waiter);
    waiter->priority_ = Priority::kInteractive;
    if (waits) Enqueue(waiter);
  });
}

Budget::Summary Budget::summary(TimePoint now) {
  const std::lock_guard lock(mutex_);
  Roll(now);
  Summary summary{.limit = {}, .left = {}, .waiting = waiting()};
  if (is_unlimited_) return summary;
  if (allowance_.limit() != RateWindow::kNoLimit) summary.limit = allowance_.limit();
  if (allowance_.left() != RateWindow::kNoLimit) summary.left = allowance_.left();
  return summary;
}

void Budget::GiveBack(const std::string& caller, const Allowance::Taken& taken) {
  ChangeAndGrant(Clock::now(), [&] { GiveBackLocked(caller, taken); });
}

void Budget::GiveBackLocked(const std::string& caller, const Allowance::Taken& taken) {
  allowance_.GiveBack(taken);
  const auto place = callers_.find(caller);
  if (place == callers_.end() || taken.minute != window_) return;
  place->second.granted = std::max(0, place->second.granted - 1);
}

void Budget::Settle(const Allowance::Taken& taken, int times, const RateLimitNotice& notice,
                    TimePoint now) {
  ChangeAndGrant(now, [&] { allowance_.Settle(taken, times, notice, now); });
}

void Budget::Tell(const Decided& decided) {
  for (const Decision& decision : decided) {
    if (decision.on_decided) decision.on_decided();
  }
}

void Budget::Roll(TimePoint now) {
  allowance_.Roll(now);
  if (std::exchange(window_, allowance_.window()) == allowance_.window()) return;
  absl::erase_if(callers_, [&](const auto& one) {
    const Caller& caller = one.second;
    return now - caller.seen_at > kForgotten && caller.waiting[0].empty() &&
           caller.waiting[1].empty();
  });
  for (auto& [name, caller] : callers_) caller.granted = 0;
}

bool Budget::IsPrivileged(const Caller& caller, Priority priority) const {
  if (priority == Priority::kBatch) return since_batch_ + 1 >= kBatchEvery;
  if (allowance_.limit() == RateWindow::kNoLimit) return true;
  const int callers = std::max(1, static_cast<int>(callers_.size()));
  return caller.granted < std::max(1, allowance_.limit() / callers);
}

// When a call of that caller may be sent, if so many others are before it.
TimePoint Budget::EarliestFor(const Caller& caller, Priority priority, int ahead,
                              TimePoint now) const {
  if (is_unlimited_) return now;
  if (IsPrivileged(caller, priority)) return allowance_.At(ahead, now);
  const bool is_batch = priority == Priority::kBatch;
  return allowance_.PacedAt(ahead, now, is_batch ? kReserveOfBatch : kReserveOfMany);
}

// When it will be, if no others come.
TimePoint Budget::TurnOf(const Waiter& waiter, TimePoint now) const {
  if (is_unlimited_) return now;
  const size_t place = PlaceOf(waiter.priority_);
  const auto own = callers_.find(waiter.caller_);
  if (own == callers_.end()) return allowance_.At(0, now);
  const Caller& caller = own->second;
  const auto is_before = [&](const std::shared_ptr<Waiter>& other) {
    return other->number_ < waiter.number_;
  };
  const auto before =
      std::count_if(caller.waiting[place].begin(), caller.waiting[place].end(), is_before);
  // Of another caller, as many as it takes for the permits of both to be even, and then the one
  // that came first. In the next window all begin with none.
  const bool is_over = allowance_.left() == 0;
  int ahead = static_cast<int>(before);
  for (const auto& [name, other] : callers_) {
    if (&other == &caller) continue;
    const Queue& queue = other.waiting[place];
    const ptrdiff_t even = before + (is_over ? 0 : caller.granted - other.granted);
    const ptrdiff_t sooner = std::clamp<ptrdiff_t>(even, 0, std::ssize(queue));
    const bool is_tie = even >= 0 && even < std::ssize(queue);
    ahead += static_cast<int>(sooner);
    if (is_tie && is_before(queue[static_cast<size_t>(sooner)])) ++ahead;
  }
  if (waiter.priority_ == Priority::kInteractive) {
    return EarliestFor(caller, waiter.priority_, ahead, now);
  }
  const int interactive = static_cast<int>(waiting_[PlaceOf(Priority::kInteractive)]);
  const int of_all = std::max(0, kBatchEvery * (ahead + 1) - 1 - since_batch_);
  return allowance_.PacedAt(std::min(ahead + interactive, of_all), now, kReserveOfBatch);
}

// Of those of that priority that wait, the one whose turn it is.
Budget::Waiter* Budget::First(Priority priority) {
  const size_t place = PlaceOf(priority);
  Waiter* first = nullptr;
  int fewest = 0;
  for (auto& [name, caller] : callers_) {
    if (caller.waiting[place].empty()) continue;
    Waiter* const waiter = caller.waiting[place].front().get();
    const bool comes_before = first == nullptr || caller.granted < fewest ||
                              (caller.granted == fewest && waiter->number_ < first->number_);
    if (!comes_before) continue;
    first = waiter;
    fewest = caller.granted;
  }
  return first;
}

// Who may have a permit now.
Budget::Waiter* Budget::Next(TimePoint now) {
  const bool is_batch_turn =
      waiting_[PlaceOf(Priority::kBatch)] > 0 && since_batch_ + 1 >= kBatchEvery;
  std::array order = {Priority::kInteractive, Priority::kBatch};
  if (is_batch_turn) std::swap(order[0], order[1]);
  for (const Priority priority : order) {
    if (waiting_[PlaceOf(priority)] == 0) continue;
    Waiter* const first = First(priority);
    if (first == nullptr) continue;
    if (EarliestFor(callers_[first->caller_], priority, 0, now) <= now) return first;
  }
  return nullptr;
}

void Budget::Grant(Waiter& waiter, TimePoint now) {
  waiter.taken_ = allowance_.Take(now);
  waiter.state_ = Waiter::State::kGranted;
  if (window_ != allowance_.window()) Roll(now);  // it has begun a window
  Caller& caller = callers_[waiter.caller_];
  ++caller.granted;
  caller.seen_at = now;
  const bool others_wait =
      waiter.priority_ == Priority::kInteractive && waiting_[PlaceOf(Priority::kBatch)] > 0;
  since_batch_ = others_wait ? since_batch_ + 1 : 0;
}

void Budget::GrantWaiting(TimePoint now, Decided& decided) {
  Roll(now);
  if (waiting() == 0) return;
  while (Waiter* const waiter = Next(now)) {
    Queue& queue = callers_[waiter->caller_].waiting[PlaceOf(waiter->priority_)];
    decided.push_back({waiter, waiter->on_decided_});
    const std::shared_ptr<Waiter> granted = std::move(queue.front());
    queue.pop_front();
    --waiting_[PlaceOf(waiter->priority_)];
    Grant(*granted, now);
  }
}

void Budget::Enqueue(const std::shared_ptr<Waiter>& waiter) {
  const size_t place = PlaceOf(waiter->priority_);
  Caller& caller = callers_[waiter->caller_];
  Queue& queue = caller.waiting[place];
  const auto after = std::find_if(queue.rbegin(), queue.rend(), [&](const auto& other) {
    return other->number_ < waiter->number_;
  });
  queue.insert(after.base(), waiter);
  ++waiting_[place];
}

bool Budget::Dequeue(const Waiter& waiter) {
  const size_t place = PlaceOf(waiter.priority_);
  const size_t erased = std::erase_if(callers_[waiter.caller_].waiting[place],
                                      [&](const auto& other) { return other.get() == &waiter; });
  waiting_[place] -= erased;
  return erased > 0;
}

// Refuses the last one of the caller that has the most of them waiting, if that is not `caller`.
bool Budget::MakeRoomFor(const Caller& caller, Decided& decided) {
  const auto count = [](const Caller& one) {
    return one.waiting[0].size() + one.waiting[1].size();
  };
  const auto most = std::max_element(
      callers_.begin(), callers_.end(),
      [&](const auto& one, const auto& other) { return count(one.second) < count(other.second); });
  Caller& largest = most->second;
  if (count(largest) <= count(caller)) return false;
  const size_t place = largest.waiting[1].empty() ? 0 : 1;
  const std::shared_ptr<Waiter> last = std::move(largest.waiting[place].back());
  largest.waiting[place].pop_back();
  --waiting_[place];
  last->state_ = Waiter::State::kRefused;
  decided.push_back({last.get(), last->on_decided_});
  return true;
}

}  // namespace idv
