#include "upstream/redis/shared_allowance.h"

#include <gmock/gmock.h>

#include <chrono>
#include <csignal>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/e2e/process.h"
#include "tests/upstream/loop/running_loop.h"
#include "tests/upstream/redis/redis_server.h"

namespace idv {
namespace {

using e2e::WaitUntil;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Answer = SharedAllowance::Answer;
using Permit = SharedAllowance::Permit;

constexpr int kNoLimit = RateWindow::kNoLimit;

// One of the gateways that count together.
class Counter {
 public:
  Counter(const RedisServer& server, const std::string& tenant)
      : redis_({.connection = {.address = server.address(), .timeout = seconds(5)},
                .password = [] { return ""; },
                .report = {}}),
        allowance_(std::make_shared<SharedAllowance>(redis_, tenant)) {
    EXPECT_TRUE(WaitUntil([&] { return redis_.is_up(); }));
  }

  Answer Take(const Allowance::Limits& limits, milliseconds patience = seconds(5)) {
    auto promise = std::make_shared<std::promise<Answer>>();
    running_.loop().Post([this, limits, patience, promise] {
      Spawn(Run(limits, Clock::now() + patience, promise));
    });
    return promise->get_future().get();
  }

  bool Takes(const Allowance::Limits& limits) {
    std::optional<Permit> permit = Take(limits).permit;
    if (permit) permit->Spend(1, {});
    return permit.has_value();
  }

  Cancellation& cancel() { return cancel_; }
  RunningLoop& running() { return running_; }

 private:
  Task<> Run(Allowance::Limits limits, TimePoint deadline,
             std::shared_ptr<std::promise<Answer>> promise) {
    Task<Answer> taking = allowance_->Take(limits, running_.loop(), deadline, cancel_);
    Answer answer = co_await taking;
    promise->set_value(std::move(answer));
  }

  RedisClient redis_;
  std::shared_ptr<SharedAllowance> allowance_;
  Cancellation cancel_;
  RunningLoop running_;
};

class SharedAllowanceTest : public testing::Test {
 protected:
  const RedisServer server_;
  Counter one_{server_, "acme"};
  Counter other_{server_, "acme"};
};

TEST_F(SharedAllowanceTest, AllHaveOnlyWhatOneWouldHave) {
  const Allowance::Limits limits{.per_minute = 5, .per_hour = kNoLimit};
  int taken = 0;
  for (int i = 0; i < 5; ++i)
    taken += (one_.Takes(limits) ? 1 : 0) + (other_.Takes(limits) ? 1 : 0);

  const Answer refused = one_.Take(limits);

  EXPECT_EQ(taken, 5);
  EXPECT_FALSE(refused.permit);
  ASSERT_TRUE(refused.wait);
  EXPECT_GT(*refused.wait, seconds(50));
  EXPECT_LE(*refused.wait, seconds(60));
}

TEST_F(SharedAllowanceTest, TheHourCountsToo) {
  const Allowance::Limits limits{.per_minute = 100, .per_hour = 2};
  EXPECT_TRUE(one_.Takes(limits));
  EXPECT_TRUE(other_.Takes(limits));

  const Answer refused = one_.Take(limits);

  ASSERT_TRUE(refused.wait);
  EXPECT_GT(*refused.wait, std::chrono::minutes(59));
}

TEST_F(SharedAllowanceTest, TenantsAreCountedApart) {
  const Allowance::Limits limits{.per_minute = 1, .per_hour = kNoLimit};
  Counter of_another(server_, "globex");

  EXPECT_TRUE(one_.Takes(limits));

  EXPECT_TRUE(of_another.Takes(limits));
  EXPECT_FALSE(other_.Takes(limits));
}

TEST_F(SharedAllowanceTest, WhatWasNotSentIsGivenBack) {
  const Allowance::Limits limits{.per_minute = 1, .per_hour = 1};
  {
    const Answer unused = one_.Take(limits);
  }

  EXPECT_TRUE(WaitUntil([&] { return other_.Takes(limits); }));
}

TEST_F(SharedAllowanceTest, RepeatsOfARequestCountAsMany) {
  const Allowance::Limits limits{.per_minute = 3, .per_hour = kNoLimit};
  Answer first = one_.Take(limits);
  first.permit->Spend(3, {});

  EXPECT_TRUE(WaitUntil([&] {
    const Answer answer = other_.Take(limits);
    return !answer.permit && answer.wait;
  }));
}

TEST_F(SharedAllowanceTest, TheWindowIsOverAMinuteAfterItsFirstAnswer) {
  const Allowance::Limits limits{.per_minute = 1, .per_hour = kNoLimit};
  Answer first = one_.Take(limits);
  std::this_thread::sleep_for(milliseconds(1500));  // the upstream takes its time
  first.permit->Spend(1, {});

  // Would be under 58.5 s if the window had begun when it was taken.
  EXPECT_TRUE(WaitUntil([&] { return other_.Take(limits).wait > milliseconds(58600); }));
}

TEST_F(SharedAllowanceTest, ARefusalByTheUpstreamHoldsForAll) {
  const Allowance::Limits limits{.per_minute = 50, .per_hour = 100};
  Answer first = one_.Take(limits);
  first.permit->Spend(1, {.retry_after = seconds(30), .is_refused = true});

  EXPECT_TRUE(WaitUntil([&] { return other_.Take(limits).wait.has_value(); }));

  EXPECT_GT(other_.Take(limits).wait, seconds(28));
  EXPECT_LE(other_.Take(limits).wait, seconds(30));
}

TEST_F(SharedAllowanceTest, ARefusalByTheHourHoldsForLonger) {
  const Allowance::Limits limits{.per_minute = 50, .per_hour = 100};
  Answer first = one_.Take(limits);
  first.permit->Spend(1, {.retry_after = seconds(1800), .is_refused = true});

  EXPECT_TRUE(WaitUntil([&] { return other_.Take(limits).wait > seconds(1790); }));
}

TEST_F(SharedAllowanceTest, ANewWindowBeginsWithTheNextRequest) {
  const Allowance::Limits limits{.per_minute = 1, .per_hour = kNoLimit};
  Answer first = one_.Take(limits);
  first.permit->Spend(1, {.retry_after = milliseconds(1200), .is_refused = true});
  ASSERT_TRUE(WaitUntil([&] { return other_.Take(limits).wait.has_value(); }));

  EXPECT_TRUE(WaitUntil([&] { return other_.Takes(limits); }));

  EXPECT_GT(one_.Take(limits).wait, seconds(58));
}

TEST_F(SharedAllowanceTest, NothingIsKeptLongerThanItMatters) {
  EXPECT_TRUE(one_.Takes({.per_minute = 5, .per_hour = kNoLimit}));

  const int seconds_left = std::stoi(server_.Ask({"TTL", "idv-gateway:allowance:acme"}));

  EXPECT_GT(seconds_left, 3500);
  EXPECT_LE(seconds_left, 3600);
  EXPECT_LE(std::stoi(server_.Ask({"TTL", "idv-gateway:pulse"})), 2);
}

TEST_F(SharedAllowanceTest, NobodyWaitsForAServerThatHangsPastTheDeadline) {
  server_.process().Signal(SIGSTOP);

  const TimePoint began = Clock::now();
  const Answer answer = one_.Take({.per_minute = 1, .per_hour = 1}, milliseconds(50));

  EXPECT_FALSE(answer.permit);
  EXPECT_FALSE(answer.wait);
  EXPECT_LT(Clock::now() - began, milliseconds(400));
  server_.process().Signal(SIGCONT);
}

TEST_F(SharedAllowanceTest, WhatComesAfterItsCallerIsGoneIsGivenBack) {
  const Allowance::Limits limits{.per_minute = 1, .per_hour = kNoLimit};
  server_.Ask({"CLIENT", "PAUSE", "20000", "WRITE"});
  std::future<Answer> asked = std::async(std::launch::async, [&] { return one_.Take(limits); });
  ASSERT_TRUE(WaitUntil(
      [&] { return server_.Ask({"CLIENT", "LIST"}).find("cmd=eval") != std::string::npos; }));
  one_.running().Do([this] { one_.cancel().Fire(); });
  const Answer answer = asked.get();
  server_.Ask({"CLIENT", "UNPAUSE"});

  EXPECT_FALSE(answer.permit);
  EXPECT_TRUE(WaitUntil(
      [&] { return server_.Ask({"HGET", "idv-gateway:allowance:acme", "1used"}) == "0\n"; }));
  EXPECT_TRUE(WaitUntil([&] { return other_.Takes(limits); }));
}

}  // namespace
}  // namespace idv
