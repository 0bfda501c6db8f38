#include "upstream/retry.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>
#include <vector>

namespace idv {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

// How many of so many calls may be repeated, up to so often each.
int Repeats(RetryBudget& budget, int calls, int each = 1) {
  int repeats = 0;
  for (int i = 0; i < calls; ++i) {
    budget.Earn();
    for (int j = 0; j < each && budget.Spend(); ++j) ++repeats;
  }
  return repeats;
}

TEST(RetryBudgetTest, HasNothingBeforeTheFirstCalls) {
  RetryBudget budget(0.2);
  EXPECT_FALSE(budget.Spend());
}

TEST(RetryBudgetTest, AllowsItsShareWhenAllCallsFail) {
  struct Row {
    double share;
    int calls;
    int repeats;
  };
  for (const Row& row : {Row{0.2, 4, 0}, Row{0.2, 5, 1}, Row{0.2, 1000, 200}, Row{0.1, 1000, 100},
                         Row{0, 1000, 0}, Row{1, 1000, 1000}, Row{0.5, 1001, 500}}) {
    RetryBudget budget(row.share);
    EXPECT_EQ(Repeats(budget, row.calls, /*each=*/2), row.repeats)
        << row.share << " of " << row.calls;
  }
}

TEST(RetryBudgetTest, AllowsNoMoreThanItsShareOfManyCalls) {
  for (const double share : {0.2, 0.3, 0.7, 1.0 / 3}) {
    RetryBudget budget(share);
    int repeats = 0;
    for (int calls = 1; calls <= 100'000; ++calls) {
      repeats += Repeats(budget, 1, /*each=*/2);
      ASSERT_LE(repeats, share * calls + 1e-6) << share << " of " << calls;
    }
    EXPECT_GE(repeats, static_cast<int>(share * 100'000) - 1) << share;
  }
}

TEST(RetryBudgetTest, SavesSomeUp) {
  RetryBudget budget(0.2);
  for (int i = 0; i < 10'000; ++i) budget.Earn();

  int repeats = 0;
  while (budget.Spend()) ++repeats;

  EXPECT_EQ(repeats, RetryBudget::kMost);
}

TEST(RetryBudgetTest, AnotherShareIsForTheCallsFromThenOn) {
  RetryBudget budget(0.2);
  EXPECT_EQ(Repeats(budget, 100), 20);

  budget.SetShare(0);
  EXPECT_EQ(Repeats(budget, 100), 0);

  budget.SetShare(1);
  EXPECT_EQ(Repeats(budget, 100), 100);
}

TEST(RetryBudgetTest, IsSharedByThreads) {
  RetryBudget budget(0.2);
  std::vector<int> repeats(4);
  std::vector<std::thread> threads;
  for (int& own : repeats) {
    threads.emplace_back([&] { own = Repeats(budget, 1000, /*each=*/2); });
  }
  for (std::thread& thread : threads) thread.join();

  int sum = 0;
  for (const int own : repeats) sum += own;
  EXPECT_LE(sum, 800);
  EXPECT_GE(sum, 790);
}

constexpr RetryOptions kOptions{.max_attempts = 10,
                                .budget = 0.2,
                                .base_delay = milliseconds(50),
                                .max_delay = milliseconds(2000)};

TEST(BackoffTest, IsAnyTimeUpToOneThatDoubles) {
  struct Row {
    int attempts;
    milliseconds most;
  };
  for (const Row& row :
       {Row{1, milliseconds(50)}, Row{2, milliseconds(100)}, Row{3, milliseconds(200)},
        Row{6, milliseconds(1600)}, Row{7, seconds(2)}, Row{100, seconds(2)},
        Row{0, milliseconds(50)}, Row{2'000'000'000, seconds(2)}}) {
    milliseconds least = hours(1);
    milliseconds longest{};
    milliseconds sum{};
    for (unsigned seed = 0; seed < 2000; ++seed) {
      std::mt19937 random(seed);
      const milliseconds delay = BackoffAfter(row.attempts, kOptions, random);
      ASSERT_GE(delay, milliseconds(0)) << row.attempts << " attempts, seed " << seed;
      ASSERT_LE(delay, row.most) << row.attempts << " attempts, seed " << seed;
      least = std::min(least, delay);
      longest = std::max(longest, delay);
      sum += delay;
    }
    EXPECT_LE(least, row.most / 20) << row.attempts;
    EXPECT_GE(longest, row.most * 19 / 20) << row.attempts;
    EXPECT_GT(sum / 2000, row.most * 45 / 100) << row.attempts;
    EXPECT_LT(sum / 2000, row.most * 55 / 100) << row.attempts;
  }
}

TEST(BackoffTest, KeepsToWhatIsAllowedWhateverThatIs) {
  struct Row {
    milliseconds base;
    milliseconds max;
    int attempts;
  };
  for (const Row& row :
       {Row{milliseconds(0), seconds(2), 5}, Row{milliseconds(50), milliseconds(0), 5},
        Row{seconds(5), seconds(2), 1}, Row{hours(24), hours(24), 1000},
        Row{milliseconds(1), milliseconds(1), 1}}) {
    for (unsigned seed = 0; seed < 100; ++seed) {
      std::mt19937 random(seed);
      const milliseconds delay =
          BackoffAfter(row.attempts, {.base_delay = row.base, .max_delay = row.max}, random);
      ASSERT_GE(delay, milliseconds(0)) << row.base.count() << ' ' << row.max.count();
      ASSERT_LE(delay, row.max) << row.base.count() << ' ' << row.max.count();
    }
  }
}

}  // namespace
}  // namespace idv
