#include "upstream/sandbox/rate_limiter.h"

#include <gtest/gtest.h>

#include "tests/upstream/sandbox/caller.h"

namespace idv::sandbox {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class RateLimiterTest : public testing::Test {
 protected:
  RateLimiter::Verdict Take(const char* tenant = kTenant) {
    return limiter_.Take(tenant, *FindPlan("basic"), now_);
  }
  // Takes until the plan's ten of the minute are gone.
  void UseUpTheMinute() {
    while (!Take().retry_after) {
    }
  }

  RateLimiter limiter_;
  const Time start_ = StartOfTest();
  Time now_ = start_;
};

TEST_F(RateLimiterTest, KnowsThePlansOfTheDocumentation) {
  EXPECT_EQ(FindPlan("basic")->requests_per_minute, 10);
  EXPECT_EQ(FindPlan("basic")->requests_per_hour, 300);
  EXPECT_EQ(FindPlan("professional")->requests_per_minute, 50);
  EXPECT_EQ(FindPlan("professional")->requests_per_hour, 1'500);
  EXPECT_EQ(FindPlan("enterprise")->requests_per_minute, 200);
  EXPECT_EQ(FindPlan("enterprise")->requests_per_hour, 6'000);
  EXPECT_EQ(FindPlan("Basic"), nullptr);
  EXPECT_EQ(FindPlan(""), nullptr);
}

TEST_F(RateLimiterTest, CountsDownToTheRefusal) {
  for (int remaining = 9; remaining >= 0; --remaining) {
    const auto verdict = Take();

    EXPECT_FALSE(verdict.retry_after);
    EXPECT_EQ(verdict.limit, 10);
    EXPECT_EQ(verdict.remaining, remaining);
    EXPECT_EQ(verdict.reset, start_ + minutes(1));
  }
  now_ += milliseconds(10'500);

  const auto verdict = Take();

  EXPECT_EQ(verdict.retry_after, seconds(50));
  EXPECT_EQ(verdict.remaining, 0);
  EXPECT_EQ(verdict.reset, start_ + minutes(1));
}

TEST_F(RateLimiterTest, BeginsAWindowWithTheNextRequest) {
  UseUpTheMinute();
  now_ = start_ + minutes(1) - milliseconds(1);
  EXPECT_EQ(Take().retry_after, seconds(1));
  now_ = start_ + seconds(90);

  const auto verdict = Take();

  EXPECT_FALSE(verdict.retry_after);
  EXPECT_EQ(verdict.remaining, 9);
  EXPECT_EQ(verdict.reset, start_ + seconds(150));
}

TEST_F(RateLimiterTest, RefusesForTheRestOfAnHourThatIsUsedUp) {
  for (int minute = 0; minute < 30; ++minute) {
    now_ = start_ + minutes(minute);
    for (int i = 0; i < 10; ++i) EXPECT_FALSE(Take().retry_after) << minute;
  }
  now_ = start_ + minutes(30);

  const auto refused = Take();

  EXPECT_EQ(refused.retry_after, minutes(30));
  EXPECT_EQ(refused.remaining, 0);
  EXPECT_EQ(refused.reset, start_ + hours(1));
  now_ = start_ + hours(1);
  EXPECT_EQ(Take().remaining, 9);
}

// The minute that is under way then has room, and outlasts the hour.
TEST_F(RateLimiterTest, WaitsForNoMoreThanWhatIsUsedUp) {
  for (int minute = 0; minute < 29; ++minute) {
    now_ = start_ + minutes(minute);
    for (int i = 0; i < 10; ++i) Take();
  }
  now_ = start_ + minutes(29);
  for (int i = 0; i < 5; ++i) Take();
  now_ = start_ + hours(1) - seconds(10);
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(Take().retry_after);

  const auto refused = Take();

  EXPECT_EQ(refused.retry_after, seconds(10));
  EXPECT_EQ(refused.reset, start_ + hours(1));
}

TEST_F(RateLimiterTest, TellsOfTheHourWhereItLeavesLess) {
  for (int minute = 0; minute < 29; ++minute) {
    now_ = start_ + minutes(minute);
    for (int i = 0; i < 10; ++i) Take();
  }
  now_ = start_ + minutes(29);
  for (int i = 0; i < 5; ++i) Take();
  now_ = start_ + minutes(30);

  const auto verdict = Take();

  EXPECT_EQ(verdict.limit, 10);
  EXPECT_EQ(verdict.remaining, 4);
  EXPECT_EQ(verdict.reset, start_ + hours(1));
}

TEST_F(RateLimiterTest, CountsEachTenantByItself) {
  UseUpTheMinute();

  EXPECT_EQ(Take(kOtherTenant).remaining, 9);
  EXPECT_TRUE(Take().retry_after);
}

TEST_F(RateLimiterTest, SurvivesAClockThatIsSetBack) {
  UseUpTheMinute();
  now_ -= hours(24);

  EXPECT_EQ(Take().remaining, 9);
}

}  // namespace
}  // namespace idv::sandbox
