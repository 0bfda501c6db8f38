#include "upstream/budget.h"

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace idv {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using Kind = Budget::Standing::Kind;
using Priority = Budget::Priority;

constexpr milliseconds kLong = hours(10);

class BudgetTest : public testing::Test {
 protected:
  // A call, and how often it was told of a decision.
  struct Call {
    explicit Call(const std::string& caller, Priority priority = Priority::kInteractive)
        : waiter(std::make_shared<Budget::Waiter>(caller, priority)) {
      waiter->SetOnDecided([told = told] { ++*told; });
    }
    std::shared_ptr<int> told = std::make_shared<int>(0);
    std::shared_ptr<Budget::Waiter> waiter;
  };

  void SetOptions(const Budget::Options& options, milliseconds after = {}) {
    budget_.SetOptions(options, now_ + after);
  }
  Budget::Standing Ask(const Call& call, milliseconds after, milliseconds deadline = kLong) {
    return budget_.Ask(call.waiter, now_ + deadline, now_ + after);
  }
  Budget::Standing Look(const Call& call, milliseconds after) {
    return budget_.Look(*call.waiter, now_ + after);
  }
  Kind KindOf(const Call& call, milliseconds after) { return Look(call, after).kind; }
  milliseconds TurnOf(const Budget::Standing& standing) const {
    return std::chrono::round<milliseconds>(standing.turn - now_);
  }
  milliseconds Decide(milliseconds after) {
    return std::chrono::ceil<milliseconds>(budget_.Decide(now_ + after) - now_);
  }
  bool TryTake(const Call& call, milliseconds after) {
    std::optional<Budget::Permit> permit = budget_.TryTake(*call.waiter, now_ + after);
    if (permit) permit->Spend(1, {}, now_ + after);
    return permit.has_value();
  }
  // Sends the request of a call that was granted a permit; the answer comes at once.
  void Spend(const Call& call, milliseconds after) {
    budget_.Take(*call.waiter).Spend(1, {}, now_ + after);
  }
  // As many as it gets without waiting, up to `most`.
  int TakeMany(const std::string& caller, int most, milliseconds after,
               Priority priority = Priority::kInteractive) {
    const Call call(caller, priority);
    int taken = 0;
    while (taken < most && TryTake(call, after)) ++taken;
    return taken;
  }
  // So many calls that wait.
  std::vector<Call> Queue(const std::string& caller, int count, milliseconds after,
                          Priority priority = Priority::kInteractive) {
    std::vector<Call> calls;
    for (int i = 0; i < count; ++i) {
      calls.emplace_back(caller, priority);
      EXPECT_EQ(Ask(calls.back(), after).kind, Kind::kWaiting) << caller << i;
    }
    return calls;
  }
  int Granted(const std::vector<Call>& calls, milliseconds after) {
    return static_cast<int>(std::count_if(calls.begin(), calls.end(), [&](const Call& call) {
      return KindOf(call, after) == Kind::kGranted;
    }));
  }

  const TimePoint now_ = Clock::now();  // permits that go ask for it by themselves
  Budget budget_{{.limits = {.per_minute = 10}, .queue = 100}};
};

TEST_F(BudgetTest, GrantsAtOnceWhatTheAllowanceHas) {
  EXPECT_EQ(TakeMany("a", 100, seconds(0)), 10);
  EXPECT_EQ(TakeMany("a", 100, seconds(59)), 0);
  EXPECT_EQ(TakeMany("a", 100, seconds(60)), 10);
}

TEST_F(BudgetTest, GrantsAtOnceWhoAsksToWait) {
  const Call call("a");

  const Budget::Standing standing = Ask(call, seconds(0), seconds(0));

  EXPECT_EQ(standing.kind, Kind::kGranted);
  EXPECT_EQ(standing.turn, now_);
  EXPECT_EQ(*call.told, 0);
  Spend(call, seconds(0));
  EXPECT_EQ(budget_.summary(now_).left, 9);
}

TEST_F(BudgetTest, DecidesOnWhoWaitsAtTheEndOfTheWindow) {
  TakeMany("a", 10, seconds(0));
  const Call call("a");

  const Budget::Standing standing = Ask(call, seconds(10));

  EXPECT_EQ(standing.kind, Kind::kWaiting);
  EXPECT_EQ(TurnOf(standing), seconds(60));
  EXPECT_EQ(Decide(seconds(10)), seconds(60));
  EXPECT_EQ(Decide(milliseconds(59'999)), seconds(60));
  EXPECT_EQ(KindOf(call, milliseconds(59'999)), Kind::kWaiting);
  EXPECT_EQ(*call.told, 0);
  Decide(seconds(60));
  EXPECT_EQ(KindOf(call, seconds(60)), Kind::kGranted);
  EXPECT_EQ(*call.told, 1);
  Spend(call, seconds(60));
  Decide(seconds(200));
  EXPECT_EQ(*call.told, 1);
}

TEST_F(BudgetTest, NobodyOvertakesThoseThatWait) {
  TakeMany("a", 10, seconds(0));
  const std::vector<Call> calls = Queue("a", 1, seconds(1));

  EXPECT_FALSE(TryTake(Call("b"), seconds(60)));

  Decide(seconds(60));
  EXPECT_EQ(KindOf(calls[0], seconds(60)), Kind::kGranted);
}

TEST_F(BudgetTest, RefusesAtOnceWhatWouldComeTooLate) {
  TakeMany("a", 10, seconds(0));
  std::vector<Call> calls = Queue("a", 25, seconds(1));
  const Call call("a");

  const Budget::Standing early = Ask(call, seconds(1), milliseconds(179'999));
  EXPECT_EQ(early.kind, Kind::kRefused);
  EXPECT_EQ(TurnOf(early), seconds(180));
  EXPECT_EQ(budget_.summary(now_).waiting, 25U);
  budget_.Withdraw(call.waiter, now_);

  EXPECT_EQ(Ask(call, seconds(1), seconds(180)).kind, Kind::kWaiting);
  EXPECT_EQ(*call.told, 0);

  for (const seconds then : {seconds(60), seconds(120), seconds(180)}) {
    Decide(then);
    for (const Call& one : calls) {
      if (KindOf(one, then) == Kind::kGranted) Spend(one, then);
    }
    calls.erase(calls.begin(), calls.begin() + std::min<std::ptrdiff_t>(10, std::ssize(calls)));
    EXPECT_EQ(KindOf(call, then) == Kind::kGranted, then == seconds(180)) << then.count();
  }
}

TEST_F(BudgetTest, WhoHadAllOfThisWindowComesAsSoonInTheNextOneAsAnybody) {
  TakeMany("a", 10, seconds(0));
  const std::vector<Call> others = Queue("b", 10, seconds(1));

  for (const seconds expected : {seconds(60), seconds(60), seconds(60), seconds(60), seconds(60),
                                 seconds(120), seconds(120)}) {
    const Call call("a");
    EXPECT_EQ(TurnOf(Ask(call, seconds(1))), expected);
  }

  EXPECT_EQ(TurnOf(Look(others[4], seconds(1))), seconds(60));
  EXPECT_EQ(TurnOf(Look(others[5], seconds(1))), seconds(120));
  Decide(seconds(60));
  EXPECT_EQ(Granted(others, seconds(60)), 5);
}

TEST_F(BudgetTest, WhatIsGivenBackGoesToWhoWaits) {
  TakeMany("a", 9, seconds(0));
  std::optional<Budget::Permit> permit = budget_.TryTake(*Call("a").waiter, now_);
  ASSERT_TRUE(permit);
  const std::vector<Call> calls = Queue("b", 2, seconds(0));

  permit.reset();

  EXPECT_EQ(*calls[0].told, 1);
  EXPECT_EQ(*calls[1].told, 0);
  EXPECT_EQ(KindOf(calls[0], seconds(0)), Kind::kGranted);
}

TEST_F(BudgetTest, TheNextWindowOfTheUpstreamGoesToWhoWaits) {
  TakeMany("a", 9, seconds(0));
  std::optional<Budget::Permit> permit = budget_.TryTake(*Call("a").waiter, now_);
  ASSERT_TRUE(permit);
  RateLimitNotice notice;
  notice.remaining = 0;
  notice.reset = seconds(1'700'000'000);
  notice.reset_in = seconds(30);
  const std::vector<Call> calls = Queue("a", 1, seconds(0));

  permit->Spend(1, notice, now_);

  EXPECT_EQ(Decide(seconds(0)), seconds(31));
  EXPECT_EQ(TurnOf(Look(calls[0], seconds(0))), seconds(31));
  Decide(seconds(31));
  EXPECT_EQ(*calls[0].told, 1);
}

// Fairness.

TEST_F(BudgetTest, CallersTakeTurns) {
  TakeMany("a", 10, seconds(0));
  const std::vector<Call> many = Queue("a", 50, seconds(1));
  const std::vector<Call> few = Queue("b", 5, seconds(2));

  Decide(seconds(60));

  EXPECT_EQ(Granted(many, seconds(60)), 5);
  EXPECT_EQ(Granted(few, seconds(60)), 5);
}

TEST_F(BudgetTest, OfOneCallerTheFirstComesFirst) {
  TakeMany("a", 10, seconds(0));
  const std::vector<Call> calls = Queue("a", 20, seconds(1));

  Decide(seconds(60));

  for (size_t i = 0; i < calls.size(); ++i) {
    EXPECT_EQ(KindOf(calls[i], seconds(60)) == Kind::kGranted, i < 10) << i;
  }
}

TEST_F(BudgetTest, WhoComesLateInAWindowThatAnotherHasSpentIsFirstInTheNextOne) {
  TakeMany("a", 10, seconds(0));
  const std::vector<Call> many = Queue("a", 50, seconds(1));

  const Call late("b");
  const Budget::Standing standing = Ask(late, seconds(50), seconds(61));

  EXPECT_EQ(standing.kind, Kind::kWaiting);
  EXPECT_EQ(TurnOf(standing), seconds(60));
  Decide(seconds(60));
  EXPECT_EQ(KindOf(late, seconds(60)), Kind::kGranted);
}

TEST_F(BudgetTest, KeepsTheShareOfWhoCalledInTheWindowBefore) {
  TakeMany("a", 1, seconds(0));
  TakeMany("b", 1, seconds(0));

  for (const seconds then : {seconds(61), seconds(122)}) {
    EXPECT_EQ(TakeMany("a", 10, then), 6) << then.count();
    EXPECT_EQ(TakeMany("b", 10, then), 4) << then.count();
  }
}

TEST_F(BudgetTest, KeepsTheShareOfWhoCalledInTheFirstWindow) {
  TakeMany("a", 1, seconds(0));
  TakeMany("b", 1, seconds(59));

  EXPECT_EQ(TakeMany("a", 10, seconds(60)), 6);
}

TEST_F(BudgetTest, ForgetsWhoHasNotCalledForLong) {
  TakeMany("a", 1, seconds(0));
  TakeMany("b", 1, seconds(0));
  TakeMany("a", 1, seconds(61));
  TakeMany("a", 1, seconds(122));

  EXPECT_EQ(TakeMany("a", 100, seconds(183)), 10);
}

TEST_F(BudgetTest, ForgetsAllAfterALongSilence) {
  TakeMany("a", 1, seconds(0));
  TakeMany("b", 1, seconds(0));
  budget_.summary(now_ + seconds(61));  // as somebody who looks at metrics

  EXPECT_EQ(TakeMany("a", 100, minutes(30)), 10);
}

TEST_F(BudgetTest, ALookAtItChangesNothing) {
  TakeMany("a", 1, seconds(0));
  budget_.summary(now_ + seconds(61));
  TakeMany("a", 1, minutes(30));
  TakeMany("b", 1, minutes(30));

  EXPECT_EQ(TakeMany("a", 100, minutes(31)), 6);
}

// Callers that ask at a steady rate over minutes of fake time, some of whom do not wait for long.
class Crowd {
 public:
  struct Caller {
    std::string name;
    int every_ms;
    int patience_ms;
    int from_ms = 0;
    Priority priority = Priority::kInteractive;
    // The result: permits, and when the first one was had.
    int granted = 0;
    std::optional<milliseconds> first = std::nullopt;
  };

  Crowd(Budget& budget, TimePoint begin, std::vector<Caller> callers)
      : budget_(budget), begin_(begin), callers_(std::move(callers)) {}

  void Run(milliseconds time) {
    for (now_ = milliseconds(0); now_ < time; now_ += milliseconds(20)) {
      Answer();
      if (waits_ && budget_.Decide(Now()) < Now()) ADD_FAILURE() << "next in the past";
      Collect();
      for (size_t i = 0; i < callers_.size(); ++i) {
        const Caller& caller = callers_[i];
        if (now_.count() < caller.from_ms) continue;
        for (int ms = 0; ms < 20; ++ms) {
          if ((now_.count() + ms - caller.from_ms) % caller.every_ms == 0) Call(i);
        }
      }
    }
  }

  // Permits of all.
  int total() const {
    int sum = 0;
    for (const Caller& caller : callers_) sum += caller.granted;
    return sum;
  }
  const Caller& operator[](size_t i) const { return callers_[i]; }

 private:
  struct Waiting {
    size_t caller;
    std::shared_ptr<Budget::Waiter> waiter;
    TimePoint deadline;
    std::shared_ptr<bool> is_decided;
  };

  TimePoint Now() const { return begin_ + now_; }

  void Call(size_t i) {
    Caller& caller = callers_[i];
    auto waiter = std::make_shared<Budget::Waiter>(caller.name, caller.priority);
    if (auto permit = budget_.TryTake(*waiter, Now())) return Send(i, *std::move(permit));
    auto is_decided = std::make_shared<bool>(false);
    waiter->SetOnDecided([is_decided] { *is_decided = true; });
    const TimePoint deadline = Now() + milliseconds(caller.patience_ms);
    switch (budget_.Ask(waiter, deadline, Now()).kind) {
      case Kind::kGranted:
        return Send(i, budget_.Take(*waiter));
      case Kind::kWaiting:
        waiting_.push_back({i, waiter, deadline, is_decided});
        waits_ = true;
        return;
      case Kind::kRefused:
        return budget_.Withdraw(waiter, Now());
    }
  }

  void Collect() {
    std::erase_if(waiting_, [&](const Waiting& one) {
      if (*one.is_decided && budget_.Look(*one.waiter, Now()).kind == Kind::kGranted) {
        Send(one.caller, budget_.Take(*one.waiter));
        return true;
      }
      if (!*one.is_decided && Now() < one.deadline) return false;
      budget_.Withdraw(one.waiter, Now());
      return true;
    });
    waits_ = !waiting_.empty();
  }

  void Send(size_t i, Budget::Permit permit) {
    Caller& caller = callers_[i];
    ++caller.granted;
    if (!caller.first) caller.first = now_;
    on_their_way_.emplace(now_ + milliseconds(200), std::move(permit));
  }
  void Answer() {
    while (!on_their_way_.empty() && on_their_way_.begin()->first <= now_) {
      on_their_way_.begin()->second.Spend(1, {}, Now());
      on_their_way_.erase(on_their_way_.begin());
    }
  }

  Budget& budget_;
  const TimePoint begin_;
  std::vector<Caller> callers_;
  milliseconds now_{};
  bool waits_ = false;
  std::vector<Waiting> waiting_;
  std::multimap<milliseconds, Budget::Permit> on_their_way_;
};

class BudgetCrowdTest : public testing::Test {
 protected:
  static constexpr int kLimit = 60;
  static constexpr int kMinutes = 10;
  // A window lasts a little longer than a minute: it is known to have begun with an answer.
  static constexpr int kAll = kLimit * kMinutes * 95 / 100;

  Budget budget_{{.limits = {.per_minute = kLimit}, .queue = 50}};
  const TimePoint begin_ = Clock::now();
};

TEST_F(BudgetCrowdTest, ANoisyCallerLeavesTheHalfToOneThatAsksForIt) {
  for (const int patience_ms : {0, 500, 5000, 70'000}) {
    Budget budget({.limits = {.per_minute = kLimit}, .queue = 50});
    Crowd crowd(budget, begin_, {{"noisy", 20, 30'000}, {"other", 2000, patience_ms}});

    crowd.Run(minutes(kMinutes));

    EXPECT_GE(crowd.total(), kAll) << patience_ms;
    EXPECT_GE(crowd[1].granted, kLimit * kMinutes * 45 / 100) << patience_ms;
  }
}

TEST_F(BudgetCrowdTest, TwoNoisyCallersLeaveTheThirdToOneThatAsksForIt) {
  Crowd crowd(budget_, begin_, {{"noisy", 20, 30'000}, {"loud", 20, 2000}, {"other", 3000, 3000}});

  crowd.Run(minutes(kMinutes));

  EXPECT_GE(crowd.total(), kAll);
  EXPECT_GE(crowd[2].granted, kLimit * kMinutes * 30 / 100);
  EXPECT_GE(crowd[1].granted, kLimit * kMinutes * 25 / 100);
  EXPECT_GE(crowd[0].granted, kLimit * kMinutes * 25 / 100);
}

TEST_F(BudgetCrowdTest, WhoComesLateGetsItsShareFromTheNextWindowOn) {
  Crowd crowd(budget_, begin_, {{"noisy", 20, 30'000}, {"late", 2000, 70'000, 30'000}});

  crowd.Run(minutes(kMinutes));

  EXPECT_LE(crowd[1].first, milliseconds(60'500));
  EXPECT_GE(crowd[1].granted, kLimit * (kMinutes - 1) * 45 / 100);
}

TEST_F(BudgetCrowdTest, OneCallerAloneGetsAll) {
  Crowd crowd(budget_, begin_, {{"alone", 500, 2000}});

  crowd.Run(minutes(kMinutes));

  EXPECT_GE(crowd.total(), kAll);
}

TEST_F(BudgetCrowdTest, BatchCallsAloneGetAll) {
  Crowd crowd(budget_, begin_, {{"batch", 500, 70'000, 0, Priority::kBatch}});

  crowd.Run(minutes(kMinutes));

  EXPECT_GE(crowd.total(), kAll);
}

TEST_F(BudgetCrowdTest, BatchCallsGetAnEighthAtLeastAndTheRestIsInteractive) {
  Crowd crowd(budget_, begin_,
              {{"batch", 100, 70'000, 0, Priority::kBatch}, {"person", 100, 70'000}});

  crowd.Run(minutes(kMinutes));

  EXPECT_GE(crowd.total(), kAll);
  EXPECT_GE(crowd[0].granted, kLimit * kMinutes / 9);
  EXPECT_GE(crowd[1].granted, kLimit * kMinutes * 3 / 4);
}

TEST_F(BudgetCrowdTest, BatchCallsLeaveTheHalfToInteractiveOnesThatDoNotWait) {
  Crowd crowd(budget_, begin_, {{"batch", 20, 70'000, 0, Priority::kBatch}, {"person", 2000, 0}});

  crowd.Run(minutes(kMinutes));

  EXPECT_GE(crowd.total(), kAll);
  EXPECT_GE(crowd[1].granted, kLimit * kMinutes * 42 / 100);
}

// Priorities.

TEST_F(BudgetTest, InteractiveCallsComeFirst) {
  TakeMany("a", 10, seconds(0));
  const std::vector<Call> batch = Queue("a", 5, seconds(1), Priority::kBatch);
  const std::vector<Call> interactive = Queue("a", 5, seconds(2));

  Decide(seconds(60));

  EXPECT_EQ(Granted(interactive, seconds(60)), 5);
  EXPECT_EQ(Granted(batch, seconds(60)), 0);  // they are spread over the window
}

TEST_F(BudgetTest, EveryEighthPermitIsForBatchCalls) {
  SetOptions({.limits = {.per_minute = 32}, .queue = 100});
  TakeMany("a", 32, seconds(0));
  const std::vector<Call> batch = Queue("a", 20, seconds(1), Priority::kBatch);
  const std::vector<Call> interactive = Queue("a", 40, seconds(2));

  Decide(seconds(60));

  EXPECT_EQ(Granted(interactive, seconds(60)), 28);
  EXPECT_EQ(Granted(batch, seconds(60)), 4);
}

TEST_F(BudgetTest, BatchCallsAreSpreadOverTheWindow) {
  EXPECT_EQ(TakeMany("b", 100, seconds(0), Priority::kBatch), 1);
  const Call batch("b", Priority::kBatch);

  EXPECT_EQ(Ask(batch, seconds(0)).kind, Kind::kWaiting);
  const Call interactive("a");
  EXPECT_EQ(Ask(interactive, seconds(1)).kind, Kind::kGranted);
  EXPECT_EQ(KindOf(batch, seconds(1)), Kind::kWaiting);
}

TEST_F(BudgetTest, TellsTheTurnOfABatchCallThatIsSpread) {
  SetOptions({.limits = {.per_minute = 100}, .queue = 100});
  EXPECT_EQ(TakeMany("b", 100, seconds(0), Priority::kBatch), 1);
  TakeMany("a", 19, seconds(0));
  const Call batch("b", Priority::kBatch);

  const Budget::Standing early = Ask(batch, seconds(0), milliseconds(11'999));

  EXPECT_EQ(early.kind, Kind::kRefused);
  EXPECT_EQ(TurnOf(early), seconds(12));
  budget_.Withdraw(batch.waiter, now_);
  const Budget::Standing standing = Ask(batch, seconds(0), seconds(12));
  EXPECT_EQ(standing.kind, Kind::kWaiting);
  EXPECT_EQ(Decide(seconds(0)), seconds(12));
  Decide(seconds(12));
  EXPECT_EQ(KindOf(batch, seconds(12)), Kind::kGranted);
}

TEST_F(BudgetTest, HurriesABatchCall) {
  TakeMany("b", 10, seconds(0), Priority::kBatch);
  const std::vector<Call> batch = Queue("b", 2, seconds(0), Priority::kBatch);

  budget_.Hurry(batch[1].waiter, now_);

  EXPECT_EQ(KindOf(batch[0], seconds(0)), Kind::kWaiting);
  EXPECT_EQ(KindOf(batch[1], seconds(0)), Kind::kGranted);
  EXPECT_EQ(*batch[1].told, 1);
}

TEST_F(BudgetTest, AHurriedCallKeepsItsPlaceAmongThoseOfItsCaller) {
  TakeMany("a", 10, seconds(0));
  const std::vector<Call> batch = Queue("a", 1, seconds(1), Priority::kBatch);
  const std::vector<Call> interactive = Queue("a", 10, seconds(2));

  budget_.Hurry(batch[0].waiter, now_ + seconds(3));
  budget_.Hurry(batch[0].waiter, now_ + seconds(3));

  EXPECT_EQ(budget_.summary(now_).waiting, 11U);
  Decide(seconds(60));
  EXPECT_EQ(KindOf(batch[0], seconds(60)), Kind::kGranted);
  EXPECT_EQ(Granted(interactive, seconds(60)), 9);
}

TEST_F(BudgetTest, ACallMayBeHurriedBeforeItAsksAndAfterItWasDecidedOn) {
  const Call call("a", Priority::kBatch);
  budget_.Hurry(call.waiter, now_);
  TakeMany("b", 5, seconds(0), Priority::kBatch);

  EXPECT_EQ(Ask(call, seconds(0)).kind, Kind::kGranted);
  budget_.Hurry(call.waiter, now_);
  EXPECT_EQ(KindOf(call, seconds(0)), Kind::kGranted);
  budget_.Withdraw(call.waiter, now_);
  EXPECT_EQ(budget_.summary(now_).waiting, 0U);
}

// Bounds.

TEST_F(BudgetTest, RefusesCallsWhenTooManyWait) {
  SetOptions({.limits = {.per_minute = 10}, .queue = 3});
  TakeMany("a", 10, seconds(0));
  const std::vector<Call> calls = Queue("a", 3, seconds(1));
  const Call call("a");

  const Budget::Standing standing = Ask(call, seconds(1));

  EXPECT_EQ(standing.kind, Kind::kRefused);
  EXPECT_EQ(TurnOf(standing), seconds(60));
  EXPECT_EQ(budget_.summary(now_).waiting, 3U);
}

TEST_F(BudgetTest, RefusesAllThatWouldWaitIfNoneMay) {
  SetOptions({.limits = {.per_minute = 10}, .queue = 0});
  TakeMany("a", 9, seconds(0));

  EXPECT_EQ(Ask(Call("b"), seconds(0)).kind, Kind::kGranted);
  EXPECT_EQ(Ask(Call("b"), seconds(0)).kind, Kind::kRefused);
}

TEST_F(BudgetTest, TheLastOneOfTheCallerWithTheMostMakesRoom) {
  SetOptions({.limits = {.per_minute = 10}, .queue = 6});
  TakeMany("a", 10, seconds(0));
  const std::vector<Call> few = Queue("b", 2, seconds(1));
  const std::vector<Call> most = Queue("a", 4, seconds(1));
  const Call call("c");

  EXPECT_EQ(Ask(call, seconds(2)).kind, Kind::kWaiting);

  EXPECT_EQ(*most[3].told, 1);
  const Budget::Standing standing = Look(most[3], seconds(2));
  EXPECT_EQ(standing.kind, Kind::kRefused);
  EXPECT_EQ(TurnOf(standing), seconds(60));
  EXPECT_EQ(budget_.summary(now_).waiting, 6U);
  budget_.Withdraw(most[3].waiter, now_ + seconds(2));
  EXPECT_EQ(budget_.summary(now_).waiting, 6U);
  Decide(seconds(60));
  EXPECT_EQ(Granted(few, seconds(60)) + Granted({most[0], most[1], most[2], call}, seconds(60)), 6);
  EXPECT_EQ(*most[3].told, 1);
}

TEST_F(BudgetTest, BatchCallsMakeRoomBeforeInteractiveOnes) {
  SetOptions({.limits = {.per_minute = 10}, .queue = 4});
  TakeMany("a", 10, seconds(0));
  const std::vector<Call> batch = Queue("a", 2, seconds(1), Priority::kBatch);
  const std::vector<Call> interactive = Queue("a", 2, seconds(1));

  EXPECT_EQ(Ask(Call("b"), seconds(2)).kind, Kind::kWaiting);

  EXPECT_EQ(KindOf(batch[1], seconds(2)), Kind::kRefused);
  EXPECT_EQ(KindOf(batch[0], seconds(2)), Kind::kWaiting);
  EXPECT_EQ(KindOf(interactive[1], seconds(2)), Kind::kWaiting);
}

TEST_F(BudgetTest, CallersWithAsManyDoNotMakeRoomForEachOther) {
  SetOptions({.limits = {.per_minute = 10}, .queue = 4});
  TakeMany("a", 10, seconds(0));
  const std::vector<Call> some = Queue("a", 2, seconds(1));
  const std::vector<Call> others = Queue("b", 2, seconds(1));

  EXPECT_EQ(Ask(Call("b"), seconds(2)).kind, Kind::kRefused);
  EXPECT_EQ(Ask(Call("a"), seconds(2)).kind, Kind::kRefused);
}

// Ends of a wait.

TEST_F(BudgetTest, WhoWithdrawsWaitsNoMore) {
  TakeMany("a", 10, seconds(0));
  const std::vector<Call> calls = Queue("a", 3, seconds(1));

  budget_.Withdraw(calls[1].waiter, now_ + seconds(2));
  budget_.Withdraw(calls[1].waiter, now_ + seconds(2));

  EXPECT_EQ(budget_.summary(now_).waiting, 2U);
  Decide(seconds(60));
  EXPECT_EQ(*calls[0].told, 1);
  EXPECT_EQ(*calls[1].told, 0);
  EXPECT_EQ(*calls[2].told, 1);
}

TEST_F(BudgetTest, WhoWithdrawsGivesItsPermitToTheNext) {
  SetOptions({.limits = {.per_minute = 1}, .queue = 100});
  TakeMany("a", 1, seconds(0));
  const std::vector<Call> calls = Queue("a", 2, seconds(1));
  Decide(seconds(60));
  EXPECT_EQ(*calls[0].told, 1);
  EXPECT_EQ(*calls[1].told, 0);

  budget_.Withdraw(calls[0].waiter, now_ + seconds(61));

  EXPECT_EQ(*calls[1].told, 1);
  EXPECT_EQ(KindOf(calls[1], seconds(61)), Kind::kGranted);
}

TEST_F(BudgetTest, WhoWithdrawsWithoutAWaitChangesNothing) {
  const Call call("a");
  budget_.Withdraw(call.waiter, now_);
  EXPECT_EQ(Ask(call, seconds(0)).kind, Kind::kGranted);
  Spend(call, seconds(0));

  budget_.Withdraw(call.waiter, now_);

  EXPECT_EQ(budget_.summary(now_).left, 9);
}

TEST_F(BudgetTest, ACallMayAskAgain) {
  TakeMany("a", 10, seconds(0));
  const Call call("a");
  for (int minute = 1; minute <= 5; ++minute) {
    EXPECT_EQ(Ask(call, minutes(minute) - seconds(1)).kind, Kind::kWaiting);
    Decide(minutes(minute));
    EXPECT_EQ(*call.told, minute);
    Spend(call, minutes(minute));
    TakeMany("a", 9, minutes(minute));
  }
}

// Other options.

TEST_F(BudgetTest, WithoutALimitNobodyWaitsAndNothingIsCounted) {
  SetOptions({.is_unlimited = true});

  EXPECT_EQ(TakeMany("a", 1000, seconds(0)), 1000);
  EXPECT_EQ(TakeMany("a", 1000, seconds(0), Priority::kBatch), 1000);
  EXPECT_EQ(budget_.summary(now_).limit, std::nullopt);
  EXPECT_EQ(budget_.summary(now_).left, std::nullopt);
}

TEST_F(BudgetTest, ThoseThatWaitGoOnWhenTheLimitGoes) {
  TakeMany("a", 10, seconds(0));
  const std::vector<Call> interactive = Queue("a", 3, seconds(1));
  const std::vector<Call> batch = Queue("b", 3, seconds(1), Priority::kBatch);

  SetOptions({.is_unlimited = true}, seconds(2));

  EXPECT_EQ(Granted(interactive, seconds(2)), 3);
  EXPECT_EQ(Granted(batch, seconds(2)), 3);
  EXPECT_EQ(*batch[2].told, 1);
  EXPECT_EQ(Ask(Call("c"), seconds(2), seconds(2)).kind, Kind::kGranted);
}

TEST_F(BudgetTest, ThoseThatWaitGoOnWhenTheLimitRises) {
  TakeMany("a", 10, seconds(0));
  const std::vector<Call> calls = Queue("a", 5, seconds(1));

  SetOptions({.limits = {.per_minute = 13}, .queue = 100}, seconds(2));

  EXPECT_EQ(Granted(calls, seconds(2)), 3);
}

TEST_F(BudgetTest, ThoseThatWaitStayWhenFewerMay) {
  TakeMany("a", 10, seconds(0));
  const std::vector<Call> calls = Queue("a", 5, seconds(1));

  SetOptions({.limits = {.per_minute = 10}, .queue = 2}, seconds(2));

  EXPECT_EQ(budget_.summary(now_).waiting, 5U);
  EXPECT_EQ(Ask(Call("a"), seconds(2)).kind, Kind::kRefused);
}

TEST_F(BudgetTest, CountsFromNowOnWhenALimitComes) {
  SetOptions({.is_unlimited = true});
  std::optional<Budget::Permit> free = budget_.TryTake(*Call("a").waiter, now_);
  SetOptions({.limits = {.per_minute = 10}, .queue = 100});

  free->Spend(1, {}, now_);

  EXPECT_EQ(TakeMany("a", 100, seconds(1)), 10);
}

// Whoever waits has only the times that Decide() returns to go by.
TEST_F(BudgetTest, TimeAloneGrantsWhenItWasSaid) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    std::minstd_rand random(seed);
    const auto upto = [&](int most) { return std::uniform_int_distribution<int>(0, most)(random); };
    const int per_minute = 1 + upto(40);
    Budget budget({.limits = {.per_minute = per_minute, .per_hour = per_minute * (2 + upto(3))},
                   .queue = 1000});
    std::vector<Call> waiting;
    TimePoint now = now_;
    const auto spend_granted = [&] {
      return std::erase_if(waiting, [&](const Call& call) {
        if (budget.Look(*call.waiter, now).kind != Kind::kGranted) return false;
        EXPECT_EQ(*call.told, 1) << seed;
        budget.Take(*call.waiter).Spend(1, {}, now);
        return true;
      });
    };
    for (int step = 0; step < 20; ++step) {
      for (int i = upto(30); i > 0; --i) {
        Call call(std::string(1, static_cast<char>('a' + upto(3))),
                  upto(1) == 0 ? Priority::kInteractive : Priority::kBatch);
        const Kind kind = budget.Ask(call.waiter, now + kLong, now).kind;
        if (kind == Kind::kGranted) budget.Take(*call.waiter).Spend(1, {}, now);
        if (kind == Kind::kWaiting) waiting.push_back(call);
      }
      for (int i = upto(5); i > 0 && !waiting.empty(); --i) {
        const TimePoint next = budget.Decide(now);
        ASSERT_EQ(spend_granted(), 0U) << seed << ", step " << step << ": not before it is asked";
        ASSERT_GT(next, now) << seed << ", step " << step;
        budget.Decide(next - std::chrono::nanoseconds(1));
        ASSERT_EQ(spend_granted(), 0U) << seed << ", step " << step << ": not before its time";
        now = next;
        budget.Decide(now);
        // The minute has room again, but the hour's is kept for others.
        if (spend_granted() == 0U) now = budget.Decide(now);
        if (now == next) continue;
        budget.Decide(now);
        ASSERT_GE(spend_granted(), 1U) << seed << ", step " << step << ": nobody at its time";
      }
    }
    for (const Call& call : waiting) budget.Withdraw(call.waiter, now);
    EXPECT_EQ(budget.summary(now).waiting, 0U) << seed;
  }
}

}  // namespace
}  // namespace idv
