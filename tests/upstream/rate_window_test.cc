#include "upstream/rate_window.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <optional>

namespace idv {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// When the upstream's window ends by its own clock, which has nothing to do with ours.
constexpr seconds kReset{1'700'000'000};

class RateWindowTest : public testing::Test {
 protected:
  RateWindowTest() { window_.SetLimit(10); }

  void Take(int times, milliseconds after) {
    for (int i = 0; i < times; ++i) window_.Take(now_ + after);
  }
  void Correct(int remaining, seconds reset, milliseconds end, milliseconds after) {
    window_.Correct(remaining, 0, reset, now_ + end, now_ + after);
  }
  milliseconds At(int ahead, milliseconds after) const {
    return std::chrono::round<milliseconds>(window_.At(ahead, now_ + after) - now_);
  }
  milliseconds PacedAt(int ahead, milliseconds after) const {
    return std::chrono::round<milliseconds>(window_.PacedAt(ahead, now_ + after) - now_);
  }

  const TimePoint now_{hours(1000)};
  RateWindow window_{minutes(1)};
};

TEST_F(RateWindowTest, BeginsWithTheFirstRequest) {
  window_.Roll(now_, 0);
  EXPECT_EQ(window_.left(), 10);
  EXPECT_EQ(At(0, seconds(500)), seconds(500));

  Take(10, seconds(500));

  EXPECT_EQ(window_.left(), 0);
  EXPECT_EQ(At(0, seconds(501)), seconds(560));
}

TEST_F(RateWindowTest, EndsAMinuteAfterTheFirstAnswerForLackOfBetterKnowledge) {
  Take(10, seconds(0));
  window_.Confirm(window_.number(), now_ + seconds(2));
  window_.Confirm(window_.number(), now_ + seconds(30));

  EXPECT_EQ(At(0, seconds(31)), seconds(62));
}

TEST_F(RateWindowTest, AnAnswerOfAFormerWindowDoesNotPutOffTheEnd) {
  Take(10, seconds(0));
  const uint64_t former = window_.number();
  window_.Roll(now_ + seconds(60), 10);
  Take(1, seconds(60));

  window_.Confirm(former, now_ + seconds(80));

  EXPECT_EQ(At(9, seconds(80)), seconds(120));
}

TEST_F(RateWindowTest, RollsAtItsEnd) {
  Take(10, seconds(0));

  window_.Roll(now_ + seconds(60) - milliseconds(1), 0);
  EXPECT_EQ(window_.left(), 0);

  window_.Roll(now_ + seconds(60), 0);
  EXPECT_EQ(window_.left(), 10);
}

TEST_F(RateWindowTest, CarriesOverWhatIsUnanswered) {
  Take(10, seconds(0));

  window_.Roll(now_ + seconds(60), 4);

  EXPECT_EQ(window_.left(), 6);
  EXPECT_EQ(At(6, seconds(60)), seconds(120));
}

TEST_F(RateWindowTest, CarriesOverMoreThanItsLimit) {
  Take(10, seconds(0));

  window_.Roll(now_ + seconds(60), 25);

  EXPECT_EQ(window_.left(), 0);
  EXPECT_EQ(At(0, seconds(60)), seconds(120));
}

TEST_F(RateWindowTest, GetsBackWhatWasNotSent) {
  Take(10, seconds(0));

  window_.GiveBack(window_.number());

  EXPECT_EQ(window_.left(), 1);
}

TEST_F(RateWindowTest, GetsNothingBackOfAFormerWindow) {
  Take(10, seconds(0));
  const uint64_t former = window_.number();
  window_.Roll(now_ + seconds(60), 3);
  Take(2, seconds(60));

  window_.GiveBack(former);

  EXPECT_EQ(window_.left(), 5);
}

TEST_F(RateWindowTest, GetsBackNoMoreThanItsLimit) {
  Take(1, seconds(0));

  window_.GiveBack(window_.number());
  window_.GiveBack(window_.number());

  EXPECT_EQ(window_.left(), 10);
}

// What was not sent was not among those that the upstream has counted.
TEST_F(RateWindowTest, GetsNothingBackOnceTheUpstreamHasRefused) {
  Take(5, seconds(0));
  window_.Exhaust(now_ + seconds(30), now_ + seconds(1));

  window_.GiveBack(window_.number());

  EXPECT_EQ(window_.left(), 0);
  EXPECT_EQ(At(0, seconds(1)), seconds(30));
}

TEST_F(RateWindowTest, AnswersCorrect) {
  struct Row {
    const char* name;
    int taken;
    int remaining;
    seconds end;
    int left;
    seconds next;  // when there is room for ten more
  };
  const Row rows[] = {
      {"others spend too", 3, 2, seconds(60), 2, seconds(60)},
      {"nothing is left", 3, 0, seconds(60), 0, seconds(60)},
      {"more than was counted", 3, 9, seconds(60), 7, seconds(60)},
      {"more than the limit", 3, 1000, seconds(60), 7, seconds(60)},
      {"the window has begun before", 3, 7, seconds(20), 7, seconds(20)},
      {"the window would end later", 3, 7, seconds(90), 7, seconds(61)},
      {"the window is nearly over", 3, 0, seconds(2), 0, seconds(2)},
  };
  for (const Row& row : rows) {
    RateWindow window{minutes(1)};
    window.SetLimit(10);
    for (int i = 0; i < row.taken; ++i) window.Take(now_);
    window.Confirm(window.number(), now_ + seconds(1));

    window.Correct(row.remaining, 0, kReset, now_ + row.end, now_ + seconds(1));

    EXPECT_EQ(window.left(), row.left) << row.name;
    EXPECT_EQ(window.At(9, now_ + seconds(1)) - now_, row.next) << row.name;
  }
}

TEST_F(RateWindowTest, WhatIsOnItsWayCountsOnce) {
  struct Row {
    const char* name;
    int remaining;
    int unanswered;
    int left;
  };
  const Row rows[] = {
      {"the upstream has counted none of them", 9, 3, 6},
      {"it has counted some", 7, 3, 6},
      {"it has counted all", 6, 3, 6},
      {"others spend too", 5, 3, 2},
      {"others spend all", 1, 3, 0},
  };
  for (const Row& row : rows) {
    RateWindow window{minutes(1)};
    window.SetLimit(10);
    for (int i = 0; i < 4; ++i) window.Take(now_);

    window.Correct(row.remaining, row.unanswered, kReset, now_ + seconds(60), now_);

    EXPECT_EQ(window.left(), row.left) << row.name;
  }
}

TEST_F(RateWindowTest, EachAnswerCorrectsTheSameWindow) {
  Take(5, seconds(0));
  Correct(5, kReset, seconds(40), seconds(1));
  Correct(2, kReset, seconds(41), seconds(2));
  Correct(4, kReset, seconds(41), seconds(3));  // an older one, that was overtaken

  EXPECT_EQ(window_.left(), 2);
  EXPECT_EQ(At(2, seconds(3)), seconds(40));
}

TEST_F(RateWindowTest, ARoundedResetIsOfTheSameWindow) {
  Take(5, seconds(0));
  Correct(5, kReset, seconds(40), seconds(1));
  const uint64_t number = window_.number();
  Correct(4, kReset + seconds(1), seconds(41), seconds(2));
  Correct(3, kReset - seconds(1), seconds(39), seconds(3));

  EXPECT_EQ(window_.number(), number);
  EXPECT_EQ(window_.left(), 3);
}

TEST_F(RateWindowTest, TheUpstreamsNextWindowMayBeginBeforeOurs) {
  Take(10, seconds(0));
  Correct(0, kReset, seconds(60), seconds(1));

  Correct(7, kReset + seconds(60), seconds(110), seconds(50));

  EXPECT_EQ(window_.left(), 7);
  EXPECT_EQ(At(7, seconds(50)), seconds(110));
}

// An answer may be overtaken by those of the next window.
TEST_F(RateWindowTest, AnAnswerOfTheFormerWindowSaysNothingOfTheNextOne) {
  for (const int after : {60, 61, 70, 3600}) {
    RateWindow window{minutes(1)};
    window.SetLimit(10);
    for (int i = 0; i < 10; ++i) window.Take(now_);
    window.Correct(0, 0, kReset, now_ + seconds(60), now_ + seconds(1));
    const TimePoint next = now_ + seconds(after);
    window.Roll(next, 1);
    for (int i = 0; i < 3; ++i) window.Take(next);
    const seconds next_reset = kReset + seconds(after);
    window.Correct(6, 0, next_reset, next + seconds(60), next + milliseconds(200));

    window.Correct(0, 0, kReset, next + seconds(1), next + milliseconds(300));

    EXPECT_EQ(window.left(), 6) << after;
    EXPECT_EQ(window.At(6, next + milliseconds(300)), next + seconds(60)) << after;
  }
}

TEST_F(RateWindowTest, AnAnswerOfTheFormerWindowSaysNothingOfOneThatIsNotToldOfYet) {
  Take(10, seconds(0));
  Correct(0, kReset, seconds(60), seconds(1));
  window_.Roll(now_ + seconds(60), 1);
  Take(2, seconds(60));

  Correct(0, kReset, seconds(61), milliseconds(60'100));

  EXPECT_EQ(window_.left(), 7);
  EXPECT_EQ(At(7, seconds(61)), seconds(120));
}

TEST_F(RateWindowTest, TheUpstreamsWindowMayGoOnWhenOursIsOver) {
  Take(10, seconds(0));
  Correct(0, kReset, seconds(30), seconds(1));
  window_.Roll(now_ + seconds(30), 0);
  Take(1, seconds(30));

  Correct(0, kReset, seconds(50), seconds(31));

  EXPECT_EQ(window_.left(), 0);
  EXPECT_EQ(At(0, seconds(31)), seconds(50));
}

TEST_F(RateWindowTest, IsExhaustedUntilTheUpstreamSaysSo) {
  Take(2, seconds(0));

  window_.Exhaust(now_ + seconds(17), now_ + seconds(1));

  EXPECT_EQ(window_.left(), 0);
  EXPECT_EQ(At(0, seconds(1)), seconds(17));
  window_.Confirm(window_.number(), now_ + seconds(2));
  EXPECT_EQ(At(0, seconds(2)), seconds(17));
  window_.Roll(now_ + seconds(17), 0);
  EXPECT_EQ(window_.left(), 10);
}

TEST_F(RateWindowTest, IsExhaustedUntilItsEndForLackOfBetterKnowledge) {
  Take(2, seconds(0));
  window_.Confirm(window_.number(), now_ + seconds(1));

  window_.Exhaust(std::nullopt, now_ + seconds(20));

  EXPECT_EQ(At(0, seconds(20)), seconds(61));
}

TEST_F(RateWindowTest, TellsWhenManyMayBeSent) {
  Take(4, seconds(0));

  EXPECT_EQ(At(5, seconds(10)), seconds(10));
  EXPECT_EQ(At(6, seconds(10)), seconds(60));
  EXPECT_EQ(At(15, seconds(10)), seconds(60));
  EXPECT_EQ(At(16, seconds(10)), seconds(120));
  EXPECT_EQ(At(26, seconds(10)), seconds(180));
  EXPECT_EQ(At(1006, seconds(10)), minutes(101));
}

TEST_F(RateWindowTest, TellsWhenManyMayBeSentBeforeItHasBegun) {
  EXPECT_EQ(At(9, seconds(10)), seconds(10));
  EXPECT_EQ(At(10, seconds(10)), seconds(70));
  EXPECT_EQ(At(25, seconds(10)), seconds(130));
}

TEST_F(RateWindowTest, KeepsHalfOfTheRestForOthers) {
  struct Row {
    int taken;
    seconds now;
    int ahead;
    seconds expected;
  };
  const Row rows[] = {
      {0, seconds(0), 0, seconds(0)},    // nothing has begun
      {4, seconds(0), 0, seconds(0)},    // 6 of 10 are left
      {5, seconds(0), 0, seconds(0)},    // just half
      {6, seconds(0), 0, seconds(12)},   // 4 are half of what 48 s have
      {6, seconds(12), 0, seconds(12)},  // which then are left
      {6, seconds(30), 0, seconds(30)},
      {6, seconds(0), 1, seconds(24)},
      {6, seconds(0), 3, seconds(48)},
      {6, seconds(0), 4, seconds(60)},  // the next window's first one
      {9, seconds(0), 0, seconds(48)},
      {10, seconds(0), 0, seconds(60)},
      {10, seconds(0), 10, seconds(120)},
  };
  for (const Row& row : rows) {
    RateWindow window{minutes(1)};
    window.SetLimit(10);
    for (int i = 0; i < row.taken; ++i) window.Take(now_);

    const TimePoint at = window.PacedAt(row.ahead, now_ + row.now);

    EXPECT_EQ(std::chrono::round<milliseconds>(at - now_), row.expected)
        << row.taken << " taken, " << row.ahead << " ahead, at " << row.now.count() << " s";
  }
}

TEST_F(RateWindowTest, LosesNothingByPacing) {
  TimePoint now = now_;
  for (int i = 0; i < 10; ++i) {
    const TimePoint at = window_.PacedAt(0, now);
    ASSERT_LT(at, now_ + seconds(60)) << i;
    ASSERT_EQ(window_.PacedAt(0, at), at) << i;
    now = at;
    window_.Take(now);
  }
  EXPECT_EQ(window_.left(), 0);
}

TEST_F(RateWindowTest, MayHaveALimitOfOne) {
  window_.SetLimit(1);
  EXPECT_EQ(PacedAt(0, seconds(0)), seconds(0));
  EXPECT_EQ(PacedAt(1, seconds(0)), seconds(60));

  Take(1, seconds(0));

  EXPECT_EQ(window_.left(), 0);
  EXPECT_EQ(At(0, seconds(1)), seconds(60));
  EXPECT_EQ(At(3, seconds(1)), seconds(240));
}

TEST_F(RateWindowTest, WithoutALimitGivesAlways) {
  RateWindow window{minutes(1)};
  for (int i = 0; i < 1000; ++i) window.Take(now_);

  EXPECT_EQ(window.left(), RateWindow::kNoLimit);
  EXPECT_EQ(window.At(1'000'000, now_), now_);
  EXPECT_EQ(window.PacedAt(1'000'000, now_), now_);
  window.GiveBack(window.number());
  window.Roll(now_ + seconds(60), 1000);
  EXPECT_EQ(window.left(), RateWindow::kNoLimit);
}

TEST_F(RateWindowTest, WithoutALimitGivesWhatTheUpstreamSays) {
  RateWindow window{minutes(1)};
  window.Take(now_);
  window.Correct(3, 0, kReset, now_ + seconds(40), now_ + seconds(1));

  EXPECT_EQ(window.left(), 3);
  EXPECT_EQ(window.At(2, now_ + seconds(1)), now_ + seconds(1));
  EXPECT_EQ(window.At(3, now_ + seconds(1)), now_ + seconds(40));
  EXPECT_EQ(window.PacedAt(3, now_ + seconds(1)), now_ + seconds(40));

  window.Exhaust(now_ + seconds(20), now_ + seconds(2));
  EXPECT_EQ(window.At(0, now_ + seconds(2)), now_ + seconds(20));
}

TEST_F(RateWindowTest, WhatWasTakenStaysTakenWhenTheLimitChanges) {
  struct Row {
    const char* name;
    int taken;
    int limit;
    int left;
  };
  constexpr int kNone = RateWindow::kNoLimit;
  const Row rows[] = {
      {"up", 4, 20, 16},
      {"down", 4, 6, 2},
      {"below what was taken", 4, 3, 0},
      {"the same", 4, 10, 6},
      {"up when spent", 10, 12, 2},
      {"up before any", 0, 20, 20},
      {"down before any", 0, 5, 5},
      {"none any more, before any", 0, kNone, kNone},
  };
  for (const Row& row : rows) {
    RateWindow window{minutes(1)};
    window.SetLimit(10);
    for (int i = 0; i < row.taken; ++i) window.Take(now_);

    window.SetLimit(row.limit);

    EXPECT_EQ(window.left(), row.left) << row.name;
    window.Roll(now_ + seconds(60), 0);
    EXPECT_EQ(window.left(), row.limit) << row.name;
  }
}

TEST_F(RateWindowTest, TheLesserOfTheTwoLimitsCounts) {
  window_.Tell(7);
  EXPECT_EQ(window_.limit(), 7);
  EXPECT_EQ(window_.left(), 7);

  window_.Tell(100);
  EXPECT_EQ(window_.limit(), 10);
  EXPECT_EQ(window_.left(), 10);
}

}  // namespace
}  // namespace idv
