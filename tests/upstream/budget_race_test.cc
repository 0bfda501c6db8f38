#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/rounds.h"
#include "upstream/budget.h"

// Calls of several threads that pass few permits on to each other.
namespace idv {
namespace {

using Kind = Budget::Standing::Kind;
using Priority = Budget::Priority;

class BudgetRaceTest : public testing::Test {
 protected:
  static constexpr int kPermits = 2;

  // One call after the other, as a call that is repeated: with the same waiter.
  class Caller {
   public:
    Caller(BudgetRaceTest& test, const std::string& name, unsigned seed)
        : test_(test),
          waiter_(std::make_shared<Budget::Waiter>(name, Priority::kBatch)),
          random_(seed) {}

    void Run(int rounds) {
      for (int round = 0; round < rounds; ++round) {
        const TimePoint now = Clock::now();
        if (auto permit = test_.budget_.TryTake(*waiter_, now)) {
          Use(*permit);
        } else {
          Wait(now);
        }
      }
    }

   private:
    int Random(int most) { return std::uniform_int_distribution<int>(0, most)(random_); }

    void Use(const Budget::Permit& /*permit*/) {
      EXPECT_LE(++test_.used_, kPermits);
      if (Random(3) == 0) std::this_thread::yield();
      --test_.used_;
    }

    void Wait(TimePoint now) {
      auto is_told = std::make_shared<std::atomic<bool>>(false);
      waiter_->SetOnDecided([is_told, this] {
        EXPECT_FALSE(is_told->exchange(true)) << "once for each decision";
        ++test_.told_;
      });
      Kind kind = test_.budget_.Ask(waiter_, now + std::chrono::hours(1), now).kind;
      if (kind == Kind::kWaiting) {
        ++test_.waits_;
        kind = AwaitDecision(*is_told);
        if (kind != Kind::kWaiting) ++test_.decisions_;
      }
      if (kind == Kind::kGranted && Random(3) != 0) return Use(test_.budget_.Take(*waiter_));
      test_.budget_.Withdraw(waiter_, Clock::now());
    }

    // Or until it is not worth it any more. Some are told, others look by themselves.
    Kind AwaitDecision(const std::atomic<bool>& is_told) {
      const int patience = Random(200);
      const bool looks = Random(1) == 0;
      for (int i = 0; i < patience; ++i) {
        std::this_thread::yield();
        if (i == patience / 2 && Random(3) == 0) test_.budget_.Hurry(waiter_, Clock::now());
        if (looks) test_.budget_.Decide(Clock::now());
        if (!looks && !is_told) continue;
        const Kind kind = test_.budget_.Look(*waiter_, Clock::now()).kind;
        if (kind != Kind::kWaiting) return kind;
      }
      return Kind::kWaiting;
    }

    BudgetRaceTest& test_;
    const std::shared_ptr<Budget::Waiter> waiter_;
    std::minstd_rand random_;
  };

  Budget budget_{{.limits = {.per_minute = kPermits}, .queue = 2}};
  std::atomic<int> used_ = 0;
  std::atomic<int> told_ = 0;
  std::atomic<int> waits_ = 0;
  std::atomic<int> decisions_ = 0;
};

TEST_F(BudgetRaceTest, LosesNoPermitAndTellsOfEachDecisionOnce) {
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 4; ++i) {
    threads.emplace_back([this, i] {
      Caller(*this, i % 2 == 0 ? "even" : "odd", i + 1).Run(Rounds(3'000, 300'000));
    });
  }
  for (std::thread& thread : threads) thread.join();

  const Budget::Summary summary = budget_.summary(Clock::now());
  EXPECT_EQ(summary.left, kPermits);
  EXPECT_EQ(summary.waiting, 0U);
  EXPECT_GT(decisions_, 0);
  EXPECT_GE(told_, decisions_);
  EXPECT_LE(told_, waits_);
}

TEST_F(BudgetRaceTest, ItsOptionsMayChangeMeanwhile) {
  std::atomic<bool> is_over = false;
  std::thread changer([&] {
    while (!is_over) {
      for (const bool is_unlimited : {true, false}) {
        budget_.SetOptions({.limits = {.per_minute = kPermits},
                            .is_unlimited = is_unlimited,
                            .queue = is_unlimited ? 0 : 2},
                           Clock::now());
        std::this_thread::yield();
      }
    }
  });
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 3; ++i) {
    threads.emplace_back([this, i] {
      auto waiter = std::make_shared<Budget::Waiter>(std::to_string(i), Priority::kInteractive);
      for (int round = 0; round < Rounds(1'000, 100'000); ++round) {
        const TimePoint now = Clock::now();
        if (auto permit = budget_.TryTake(*waiter, now)) {
          if (round % 2 == 0) permit->Spend(1, {}, now);
          continue;
        }
        budget_.Ask(waiter, now + std::chrono::hours(1), now);
        budget_.Decide(Clock::now());
        budget_.Withdraw(waiter, Clock::now());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  is_over = true;
  changer.join();

  EXPECT_EQ(budget_.summary(Clock::now()).waiting, 0U);
}

}  // namespace
}  // namespace idv
