#include "upstream/allowance.h"

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/upstream/rate_limited_upstream.h"
#include "upstream/rate_limit.h"

namespace idv {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr seconds kReset{1'700'000'000};

RateLimitNotice Notice(int remaining, seconds reset, seconds reset_in) {
  RateLimitNotice notice;
  notice.remaining = remaining;
  notice.reset = reset;
  notice.reset_in = reset_in;
  return notice;
}

RateLimitNotice Refusal(std::optional<milliseconds> retry_after) {
  RateLimitNotice notice;
  notice.is_refused = true;
  notice.retry_after = retry_after;
  return notice;
}

class AllowanceTest : public testing::Test {
 protected:
  Allowance::Taken Take(milliseconds after = {}) {
    allowance_.Roll(now_ + after);
    return allowance_.Take(now_ + after);
  }
  void Settle(const Allowance::Taken& taken, const RateLimitNotice& notice, milliseconds after,
              int times = 1) {
    allowance_.Roll(now_ + after);
    allowance_.Settle(taken, times, notice, now_ + after);
  }
  int Left(milliseconds after) {
    allowance_.Roll(now_ + after);
    return allowance_.left();
  }
  milliseconds At(int ahead, milliseconds after) const {
    return std::chrono::round<milliseconds>(allowance_.At(ahead, now_ + after) - now_);
  }

  const TimePoint now_{hours(1000)};
  Allowance allowance_{{.per_minute = 10, .per_hour = 100}};
};

TEST_F(AllowanceTest, CountsInBothWindows) {
  std::vector<Allowance::Taken> taken;
  for (int minute = 0; minute < 10; ++minute) {
    for (int i = 0; i < 10; ++i) taken.push_back(Take(minutes(2 * minute)));
    ASSERT_EQ(allowance_.left(), 0) << minute;
    for (const auto& one : taken) Settle(one, {}, minutes(2 * minute) + seconds(1));
    taken.clear();
  }

  EXPECT_EQ(Left(minutes(20)), 0);
  EXPECT_EQ(At(0, minutes(20)), hours(1) + seconds(1));
  EXPECT_EQ(Left(hours(1) + seconds(1)), 10);
}

TEST_F(AllowanceTest, CountsEveryTimeThatARequestWasSent) {
  const Allowance::Taken taken = Take();

  Settle(taken, {}, seconds(1), /*times=*/3);

  EXPECT_EQ(Left(seconds(1)), 7);
}

TEST_F(AllowanceTest, GetsBackWhatWasNotSent) {
  const Allowance::Taken taken = Take();
  Take();

  allowance_.GiveBack(taken);

  EXPECT_EQ(allowance_.left(), 9);
  EXPECT_EQ(Left(seconds(60)), 9);  // one is on its way
}

TEST_F(AllowanceTest, CarriesOverWhatIsOnItsWay) {
  const Allowance::Taken first = Take();
  Take();
  Take();
  Settle(first, {}, milliseconds(100));

  EXPECT_EQ(Left(milliseconds(60'100)), 8);
}

TEST_F(AllowanceTest, BelievesWhatAnAnswerSaysOfWhatIsLeft) {
  const Allowance::Taken taken = Take();

  Settle(taken, Notice(4, kReset, seconds(29)), seconds(1));

  EXPECT_EQ(Left(seconds(1)), 4);
  EXPECT_EQ(At(4, seconds(1)), seconds(31));  // the time is in whole seconds
}

TEST_F(AllowanceTest, WhatIsOnItsWayIsNotLeft) {
  const Allowance::Taken taken = Take();
  Take();
  Take();

  Settle(taken, Notice(4, kReset, seconds(29)), seconds(1));

  EXPECT_EQ(Left(seconds(1)), 2);
}

TEST_F(AllowanceTest, AFarResetIsTheHours) {
  const Allowance::Taken taken = Take();

  Settle(taken, Notice(3, kReset, minutes(20)), seconds(1));

  EXPECT_EQ(Left(seconds(1)), 3);
  EXPECT_EQ(Left(minutes(2)), 3);
  EXPECT_EQ(At(3, minutes(2)), minutes(20) + seconds(2));
}

TEST_F(AllowanceTest, TheHoursResetIsTheHoursInItsLastMinuteToo) {
  Settle(Take(), Notice(9, kReset, minutes(3)), seconds(1));
  Settle(Take(seconds(130)), Notice(2, kReset, seconds(51)), seconds(130));

  EXPECT_EQ(Left(seconds(131)), 2);
  // Of the minute eight are left that began with the second request.
  EXPECT_EQ(Left(seconds(183)), 9);
}

TEST_F(AllowanceTest, TheLesserLimitCounts) {
  RateLimitNotice notice;
  notice.limit = 5;
  Settle(Take(), notice, seconds(1));
  EXPECT_EQ(allowance_.limit(), 5);
  EXPECT_EQ(Left(seconds(61)), 5);

  notice.limit = 50;
  Settle(Take(seconds(61)), notice, seconds(62));
  EXPECT_EQ(allowance_.limit(), 10);

  notice.limit = 0;
  Settle(Take(seconds(63)), notice, seconds(64));
  EXPECT_EQ(allowance_.limit(), 10);
}

TEST_F(AllowanceTest, ARefusalEndsTheWindow) {
  struct Row {
    const char* name;
    RateLimitNotice notice;
    milliseconds next;
  };
  RateLimitNotice with_reset = Notice(0, kReset, seconds(30));
  with_reset.is_refused = true;
  RateLimitNotice with_both = with_reset;
  with_both.retry_after = seconds(30);
  const Row rows[] = {
      {"nothing else", Refusal(std::nullopt), seconds(62)},
      {"seconds", Refusal(seconds(30)), seconds(32)},
      {"no time at all", Refusal(milliseconds(0)), seconds(3)},
      {"a reset", with_reset, seconds(33)},
      {"both", with_both, seconds(32)},
      {"the hour", Refusal(minutes(30)), minutes(30) + seconds(2)},
  };
  for (const Row& row : rows) {
    Allowance allowance({.per_minute = 10, .per_hour = 100});
    const Allowance::Taken first = allowance.Take(now_);
    const Allowance::Taken second = allowance.Take(now_);

    allowance.Settle(first, 1, {}, now_ + seconds(2));
    allowance.Settle(second, 1, row.notice, now_ + seconds(2));

    EXPECT_EQ(allowance.left(), 0) << row.name;
    EXPECT_EQ(allowance.At(0, now_ + seconds(2)) - now_, row.next) << row.name;
  }
}

TEST_F(AllowanceTest, WithoutLimitsGivesAlways) {
  Allowance allowance({});
  for (int i = 0; i < 1000; ++i) allowance.Take(now_);

  EXPECT_EQ(allowance.left(), RateWindow::kNoLimit);
  EXPECT_EQ(allowance.At(1000, now_), now_);
}

// Whatever our clock says, a window does not end before the upstream's.
TEST_F(AllowanceTest, AnAnswerWithoutADateDoesNotEndAWindowEarly) {
  for (const seconds skew : {seconds(0), seconds(30), seconds(-30), seconds(61), seconds(-61),
                             seconds(hours(1)), seconds(hours(-1))}) {
    RateLimitedUpstream upstream(
        {.per_minute = 10, .per_hour = 100, .has_date = false, .skew = skew});
    const TimePoint begin = RateLimitedUpstream::begin();
    Allowance allowance({.per_minute = 10, .per_hour = 100});
    for (int i = 0; i < 10; ++i) {
      const Allowance::Taken taken = allowance.Take(begin);
      const HttpResponse response = upstream.Answer(begin);
      allowance.Settle(taken, 1, ReadRateLimit(response, RateLimitedUpstream::WallTimeAt(begin)),
                       begin + milliseconds(100));
    }

    EXPECT_EQ(allowance.left(), 0) << skew.count();
    EXPECT_GE(allowance.At(0, begin + seconds(1)) - begin, seconds(60)) << skew.count();
    EXPECT_LE(allowance.At(0, begin + seconds(1)) - begin, seconds(63)) << skew.count();
  }
}

// How calls come.
struct Demand {
  // Together; 0: there are always some.
  int burst = 0;
  milliseconds every{};
};

// More than is allowed is asked for, over hours of fake time.
class Simulation {
 public:
  struct Result {
    int taken = 0;
    int refused = 0;
    int most_in_a_minute = 0;  // refused
  };

  Simulation(const RateLimitedUpstream::Options& options, const Allowance::Limits& limits,
             const Demand& demand, unsigned seed)
      : upstream_(options), allowance_(limits), demand_(demand), random_(seed) {}

  // Others have asked before, and so often.
  void AskedByOthers(int times) {
    for (int i = 0; i < times; ++i) upstream_.Answer(now_);
    now_ += seconds(20);
    others_ = times;
  }

  Result Run(milliseconds time) {
    At(now_, [this] { Call(); });
    const TimePoint end = now_ + time;
    while (!events_.empty() && events_.begin()->first < end) {
      const auto event = events_.begin();
      now_ = event->first;
      const auto work = std::move(event->second);
      events_.erase(event);
      work();
    }
    return {upstream_.taken() - others_, upstream_.refused(), most_in_a_minute_};
  }

 private:
  void At(TimePoint time, std::function<void()> work) { events_.emplace(time, std::move(work)); }
  TimePoint After() {
    std::uniform_int_distribution<int> latency(10, 500);
    return now_ + milliseconds(latency(random_));
  }

  void Call() {
    pending_ = demand_.burst > 0 ? demand_.burst : std::numeric_limits<int>::max();
    Ask();
    if (demand_.burst > 0) At(now_ + demand_.every, [this] { Call(); });
  }

  void Ask() {
    allowance_.Roll(now_);
    while (allowance_.left() > 0 && pending_ > 0) {
      --pending_;
      const Allowance::Taken taken = allowance_.Take(now_);
      At(After(), [this, taken] { Arrive(taken); });
    }
    if (pending_ == 0) return;
    const TimePoint next = allowance_.At(0, now_);
    ASSERT_GT(next, now_) << "it must be some time until there is more";
    if (next == next_) return;
    next_ = next;
    At(next, [this] { Ask(); });
  }

  void Arrive(const Allowance::Taken& taken) {
    const HttpResponse response = upstream_.Answer(now_);
    At(After(), [this, taken, response] {
      RateLimitNotice notice = ReadRateLimit(response, RateLimitedUpstream::WallTimeAt(now_));
      notice.is_refused = response.status == 429;
      if (notice.is_refused) CountRefusal();
      allowance_.Roll(now_);
      allowance_.Settle(taken, 1, notice, now_);
      Ask();
    });
  }

  void CountRefusal() {
    refusals_.push_back(now_);
    int in_a_minute = 0;
    for (auto one = refusals_.rbegin(); one != refusals_.rend(); ++one) {
      if (now_ - *one >= minutes(1)) break;
      ++in_a_minute;
    }
    most_in_a_minute_ = std::max(most_in_a_minute_, in_a_minute);
  }

  RateLimitedUpstream upstream_;
  Allowance allowance_;
  const Demand demand_;
  int pending_ = 0;
  int others_ = 0;
  std::minstd_rand random_;
  TimePoint now_ = RateLimitedUpstream::begin();
  TimePoint next_;
  std::multimap<TimePoint, std::function<void()>> events_;
  std::vector<TimePoint> refusals_;
  int most_in_a_minute_ = 0;
};

struct Setting {
  std::string name;
  RateLimitedUpstream::Options options;
};

std::vector<Setting> Settings(int per_minute, int per_hour) {
  std::vector<Setting> settings;
  for (const seconds skew :
       {seconds(0), seconds(30), seconds(-30), seconds(hours(1)), seconds(hours(-1))}) {
    for (const bool has_headers : {true, false}) {
      for (const bool has_date : {true, false}) {
        for (const bool rounds_up : {true, false}) {
          settings.push_back(
              {absl::StrCat("skew ", skew.count(), has_headers ? ", headers" : "",
                            has_date ? ", date" : "", rounds_up ? ", rounds up" : ", rounds down",
                            ", of ", per_minute, "/", per_hour),
               {.per_minute = per_minute,
                .per_hour = per_hour,
                .has_headers = has_headers,
                .has_date = has_date,
                .rounds_up = rounds_up,
                .skew = skew + milliseconds(137)}});
        }
      }
    }
  }
  return settings;
}

TEST(AllowanceSimulationTest, UsesWhatAMinuteGivesAndIsHardlyEverRefused) {
  constexpr int kNone = 1'000'000;
  for (const Setting& setting : Settings(50, kNone)) {
    for (unsigned seed = 1; seed <= 2; ++seed) {
      Simulation simulation(setting.options, {.per_minute = 50}, {}, seed);

      const Simulation::Result result = simulation.Run(hours(1));

      EXPECT_LE(result.most_in_a_minute, 1) << setting.name << ", seed " << seed;
      EXPECT_GE(result.taken, 50 * 60 * 9 / 10) << setting.name << ", seed " << seed;
    }
  }
}

TEST(AllowanceSimulationTest, UsesWhatAnHourGivesAndIsHardlyEverRefused) {
  for (const Setting& setting : Settings(50, 1500)) {
    for (unsigned seed = 1; seed <= 2; ++seed) {
      Simulation simulation(setting.options, {.per_minute = 50, .per_hour = 1500}, {}, seed);

      const Simulation::Result result = simulation.Run(hours(3));

      EXPECT_LE(result.most_in_a_minute, 1) << setting.name << ", seed " << seed;
      EXPECT_GE(result.taken, 3 * 1500 * 9 / 10) << setting.name << ", seed " << seed;
    }
  }
}

TEST(AllowanceSimulationTest, IsRefusedOnceAtMostWhenItBeginsAmidAWindow) {
  for (const Setting& setting : Settings(50, 1'000'000)) {
    Simulation simulation(setting.options, {.per_minute = 50}, {}, 1);
    simulation.AskedByOthers(20);

    const Simulation::Result result = simulation.Run(hours(1));

    EXPECT_LE(result.refused, 20) << setting.name;
    EXPECT_GE(result.taken, 50 * 60 * 9 / 10) << setting.name;
  }
}

// What is on its way is not counted twice.
TEST(AllowanceSimulationTest, UsesWhatAMinuteGivesWhenCallsComeInBursts) {
  for (const Setting& setting : Settings(50, 1'000'000)) {
    for (const Demand& demand : {Demand{20, seconds(10)}, Demand{35, seconds(25)},
                                 Demand{1, milliseconds(800)}, Demand{5, seconds(4)}}) {
      Simulation simulation(setting.options, {.per_minute = 50}, demand, 1);

      const Simulation::Result result = simulation.Run(hours(1));

      EXPECT_LE(result.most_in_a_minute, 1) << setting.name << ", bursts of " << demand.burst;
      EXPECT_GE(result.taken, 50 * 60 * 9 / 10) << setting.name << ", bursts of " << demand.burst;
    }
  }
}

}  // namespace
}  // namespace idv
