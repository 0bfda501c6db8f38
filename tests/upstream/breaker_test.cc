#include "upstream/breaker.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "tests/rounds.h"

namespace idv {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Outcome = Breaker::Outcome;
using State = Breaker::State;

class BreakerTest : public testing::Test {
 protected:
  Breaker::Pass Enter(milliseconds after = {}) {
    std::optional<Breaker::Pass> pass = breaker_.Enter(now_ + after);
    EXPECT_TRUE(pass) << "at " << after.count() << " ms";
    return *std::move(pass);
  }
  bool IsRefused(milliseconds after) { return !breaker_.Enter(now_ + after); }
  void Make(int requests, Outcome outcome, milliseconds after = {}) {
    for (int i = 0; i < requests; ++i) Enter(after).End(outcome, now_ + after);
  }
  std::optional<milliseconds> Wait(milliseconds after) const { return breaker_.Wait(now_ + after); }

  const TimePoint now_{hours(1000)};
  Breaker breaker_{{.failures = 10, .window = seconds(30), .open_for = seconds(5)}};
};

TEST_F(BreakerTest, OpensAtSoManyFailures) {
  Make(9, Outcome::kFailure);
  EXPECT_EQ(breaker_.state(), State::kClosed);
  EXPECT_EQ(Wait(seconds(0)), std::nullopt);

  Make(1, Outcome::kFailure);

  EXPECT_EQ(breaker_.state(), State::kOpen);
  EXPECT_TRUE(IsRefused(seconds(0)));
}

TEST_F(BreakerTest, OpensOnlyIfHalfOrMoreFail) {
  struct Row {
    int successes;
    int failures;
    bool opens;
  };
  for (const Row& row : {Row{0, 10, true}, Row{9, 10, true}, Row{10, 10, true}, Row{11, 10, false},
                         Row{11, 11, true}, Row{1000, 100, false}, Row{10, 9, false}}) {
    Breaker breaker({.failures = 10, .window = seconds(30), .open_for = seconds(5)});
    for (int i = 0; i < row.successes; ++i) breaker.Enter(now_)->End(Outcome::kSuccess, now_);
    for (int i = 0; i < row.failures; ++i) breaker.Enter(now_)->End(Outcome::kFailure, now_);
    EXPECT_EQ(breaker.state() == State::kOpen, row.opens)
        << row.successes << " successes, " << row.failures << " failures";
  }
}

TEST_F(BreakerTest, ForgetsFailuresWhenTheWindowHasPassed) {
  struct Row {
    milliseconds first;
    milliseconds last;
    bool opens;
  };
  for (const Row& row :
       {Row{seconds(0), seconds(26), true}, Row{seconds(0), seconds(30), false},
        Row{seconds(0), seconds(31), false}, Row{seconds(0), hours(10), false},
        Row{seconds(100), seconds(126), true}, Row{milliseconds(101'999), seconds(132), false}}) {
    Breaker breaker({.failures = 10, .window = seconds(30), .open_for = seconds(5)});
    for (int i = 0; i < 9; ++i) {
      breaker.Enter(now_ + row.first)->End(Outcome::kFailure, now_ + row.first);
    }
    breaker.Enter(now_ + row.last)->End(Outcome::kFailure, now_ + row.last);
    EXPECT_EQ(breaker.state() == State::kOpen, row.opens)
        << "from " << row.first.count() << " ms to " << row.last.count() << " ms";
  }
}

TEST_F(BreakerTest, CountsOnThroughManyWindows) {
  for (int second = 0; second < 600; ++second) {
    Make(1, second % 4 == 0 ? Outcome::kFailure : Outcome::kSuccess, seconds(second));
  }
  EXPECT_EQ(breaker_.state(), State::kClosed);

  int failures = 0;
  for (int second = 600; breaker_.state() == State::kClosed; ++second) {
    ASSERT_LT(++failures, 30);
    Make(1, Outcome::kFailure, seconds(second));
  }
  EXPECT_GT(failures, 8);
}

TEST_F(BreakerTest, TellsHowLongCallsAreRefused) {
  Make(10, Outcome::kFailure);

  EXPECT_EQ(Wait(seconds(0)), seconds(5));
  EXPECT_EQ(Wait(milliseconds(4'999)), milliseconds(1));
  EXPECT_EQ(breaker_.Wait(now_ + seconds(5) - std::chrono::nanoseconds(1)), milliseconds(1));
  EXPECT_TRUE(IsRefused(milliseconds(4'999)));
  EXPECT_EQ(Wait(seconds(5)), std::nullopt);
  EXPECT_EQ(breaker_.state(), State::kOpen);
}

TEST_F(BreakerTest, LetsOneTryAfterAWhile) {
  Make(10, Outcome::kFailure);

  const Breaker::Pass probe = Enter(seconds(5));

  EXPECT_EQ(breaker_.state(), State::kHalfOpen);
  EXPECT_TRUE(IsRefused(seconds(5)));
  EXPECT_TRUE(IsRefused(seconds(9)));
  EXPECT_EQ(Wait(seconds(6)), seconds(4));
}

TEST_F(BreakerTest, ClosesIfTheTrySucceeds) {
  Make(10, Outcome::kFailure);

  Enter(seconds(5)).End(Outcome::kSuccess, now_ + seconds(6));

  EXPECT_EQ(breaker_.state(), State::kClosed);
  Make(9, Outcome::kFailure, seconds(6));
  EXPECT_EQ(breaker_.state(), State::kClosed) << "what was before is forgotten";
}

TEST_F(BreakerTest, StaysOpenIfTheTryFails) {
  Make(10, Outcome::kFailure);

  Enter(seconds(5)).End(Outcome::kFailure, now_ + seconds(7));

  EXPECT_EQ(breaker_.state(), State::kOpen);
  EXPECT_EQ(Wait(seconds(7)), seconds(5));
  EXPECT_TRUE(IsRefused(milliseconds(11'999)));
  Enter(seconds(12)).End(Outcome::kSuccess, now_ + seconds(12));
  EXPECT_EQ(breaker_.state(), State::kClosed);
}

TEST_F(BreakerTest, LetsAnotherTryIfTheFirstOneSaysNothing) {
  Make(10, Outcome::kFailure);
  Enter(seconds(5)).End(Outcome::kUnknown, now_ + seconds(6));
  EXPECT_EQ(Wait(seconds(6)), std::nullopt);

  {
    const Breaker::Pass lost = Enter(seconds(6));
  }

  EXPECT_EQ(Wait(seconds(6)), std::nullopt);
  Enter(seconds(6)).End(Outcome::kSuccess, now_ + seconds(6));
  EXPECT_EQ(breaker_.state(), State::kClosed);
}

TEST_F(BreakerTest, LetsAnotherTryIfTheFirstOneHangs) {
  Make(10, Outcome::kFailure);
  Breaker::Pass hanging = Enter(seconds(5));

  Breaker::Pass second = Enter(seconds(10));
  EXPECT_TRUE(IsRefused(seconds(11)));

  second.End(Outcome::kSuccess, now_ + seconds(11));
  EXPECT_EQ(breaker_.state(), State::kClosed);
  hanging.End(Outcome::kFailure, now_ + seconds(60));
  EXPECT_EQ(breaker_.state(), State::kClosed);
}

TEST_F(BreakerTest, ATryThatHungAndGoesDoesNotLetMoreThanOneTry) {
  Make(10, Outcome::kFailure);
  std::optional<Breaker::Pass> hanging = Enter(seconds(5));
  const Breaker::Pass second = Enter(seconds(10));

  hanging.reset();

  EXPECT_TRUE(IsRefused(seconds(11)));
}

TEST_F(BreakerTest, ATryThatHungAndFailsLeavesTheDecisionToTheNextOne) {
  Make(10, Outcome::kFailure);
  Breaker::Pass hanging = Enter(seconds(5));
  Breaker::Pass second = Enter(seconds(10));

  hanging.End(Outcome::kFailure, now_ + seconds(11));
  second.End(Outcome::kSuccess, now_ + seconds(12));

  EXPECT_EQ(breaker_.state(), State::kClosed);
}

TEST_F(BreakerTest, ClosesIfATryThatHungSucceeds) {
  Make(10, Outcome::kFailure);
  Breaker::Pass hanging = Enter(seconds(5));
  const Breaker::Pass second = Enter(seconds(10));

  hanging.End(Outcome::kSuccess, now_ + seconds(11));

  EXPECT_EQ(breaker_.state(), State::kClosed);
}

TEST_F(BreakerTest, WhatWasSentBeforeItOpenedChangesNothing) {
  Breaker::Pass late_success = Enter();
  Breaker::Pass late_failure = Enter();
  Make(10, Outcome::kFailure);
  const Breaker::Pass probe = Enter(seconds(5));

  late_success.End(Outcome::kSuccess, now_ + seconds(6));
  late_failure.End(Outcome::kFailure, now_ + seconds(6));

  EXPECT_EQ(breaker_.state(), State::kHalfOpen);
  EXPECT_EQ(Wait(seconds(6)), seconds(4));
}

TEST_F(BreakerTest, WhatSaysNothingIsNotCounted) {
  Make(5, Outcome::kFailure);
  Make(100, Outcome::kUnknown);
  for (int i = 0; i < 100; ++i) Enter();
  Make(4, Outcome::kFailure);
  EXPECT_EQ(breaker_.state(), State::kClosed);

  Make(1, Outcome::kFailure);

  EXPECT_EQ(breaker_.state(), State::kOpen);
}

TEST_F(BreakerTest, NeverOpensAtNoFailures) {
  Breaker breaker({.failures = 0, .window = seconds(30), .open_for = seconds(5)});
  for (int i = 0; i < 1000; ++i) breaker.Enter(now_)->End(Outcome::kFailure, now_);

  EXPECT_EQ(breaker.state(), State::kClosed);
}

TEST_F(BreakerTest, ClosesWhenItIsTurnedOff) {
  Make(10, Outcome::kFailure);

  breaker_.SetOptions({});

  EXPECT_EQ(breaker_.state(), State::kClosed);
  EXPECT_EQ(Wait(seconds(0)), std::nullopt);
  Make(100, Outcome::kFailure);
  EXPECT_EQ(breaker_.state(), State::kClosed);
}

TEST_F(BreakerTest, KnowsNothingOfBeforeWhenItIsTurnedOnAgain) {
  Make(9, Outcome::kFailure);
  breaker_.SetOptions({});
  breaker_.SetOptions({.failures = 10, .window = seconds(30), .open_for = seconds(5)});

  Make(1, Outcome::kFailure);

  EXPECT_EQ(breaker_.state(), State::kClosed);
}

TEST_F(BreakerTest, TakesTimesOfThreadsThatAreNotInOrder) {
  Make(1, Outcome::kFailure, seconds(10));
  Make(9, Outcome::kFailure, seconds(9));

  EXPECT_EQ(breaker_.state(), State::kOpen);
}

TEST_F(BreakerTest, LetsOneOfManyThreadsTry) {
  for (int round = 0; round < Rounds(200, 20'000); ++round) {
    Breaker breaker({.failures = 1, .window = seconds(30), .open_for = seconds(5)});
    breaker.Enter(now_)->End(Outcome::kFailure, now_);
    std::atomic<int> tries = 0;
    std::atomic<int> refused = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&] {
        std::optional<Breaker::Pass> pass = breaker.Enter(now_ + seconds(5));
        ++(pass ? tries : refused);
        while (tries + refused < 3) std::this_thread::yield();
        if (pass) pass->End(Outcome::kSuccess, now_ + seconds(5));
      });
    }
    for (std::thread& thread : threads) thread.join();
    ASSERT_EQ(tries, 1) << round;
    ASSERT_EQ(breaker.state(), State::kClosed) << round;
  }
}

}  // namespace
}  // namespace idv
