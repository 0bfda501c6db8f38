// SIGTERM ends a gateway in order, whatever is under way.

#include <gmock/gmock.h>

#include <chrono>
#include <csignal>
#include <iostream>
#include <string>

#include "tests/chaos/async_caller.h"
#include "tests/chaos/size.h"
#include "tests/e2e/call.h"
#include "tests/e2e/gateway.h"
#include "tests/e2e/sandbox.h"
#include "tests/e2e/steps.h"

namespace idv::chaos {
namespace {

using e2e::Client;
using e2e::Connect;
using e2e::Gateway;
using e2e::Json;
using e2e::Sandbox;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::HasSubstr;
using testing::Not;

constexpr size_t kHanging = 100;

// The defaults at the full size.
const milliseconds kSettle = Sized<milliseconds>(milliseconds(500), std::chrono::seconds(5));
const milliseconds kGrace = Sized<milliseconds>(milliseconds(1500), std::chrono::seconds(10));
// To answer the last calls and to end.
constexpr milliseconds kReserve{2000};

std::string Text(milliseconds time) { return std::to_string(time.count()) + "ms"; }

class DrainTest : public testing::Test {
 protected:
  static Json Config(const Sandbox& sandbox) {
    Json config = e2e::OneRequestPerCall(e2e::BasicConfig(sandbox.base_url()));
    config["drain"] = {{"settle", Text(kSettle)}, {"unary_grace", Text(kGrace)}};
    return config;
  }

  // Requests that the upstream has and has not answered.
  void AwaitPending(size_t count) {
    const auto pending = [&] {
      size_t found = 0;
      for (const Json& request : sandbox_.Requests("/verifications")) {
        if (request["outcome"] == "pending") ++found;
      }
      return found;
    };
    EXPECT_TRUE(e2e::WaitUntil([&] { return pending() == count; })) << pending();
  }

  void SendSigterm() {
    signalled_ = steady_clock::now();
    gateway_.process().Signal(SIGTERM);
  }

  // The gateway ends by itself, in time and well.
  void ExpectGoodEnd() {
    EXPECT_EQ(gateway_.process().Wait(std::chrono::seconds(60)), 0);
    const auto took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - signalled_);
    std::cout << "ended " << took.count() << " ms after SIGTERM" << std::endl;
    EXPECT_LE(took, kSettle + kGrace + kReserve);
    EXPECT_THAT(gateway_.process().Err(), HasSubstr("\"stopped\""));
    EXPECT_THAT(gateway_.process().Err(), Not(HasSubstr("the shutdown did not end in time")));
  }

  const Sandbox sandbox_;
  Gateway gateway_{Config(sandbox_)};
  const Client client_{Connect(gateway_.addresses()[0])};
  const std::string id_ = e2e::Create(client_, "cust-1").id();
  steady_clock::time_point signalled_;
};

TEST_F(DrainTest, EndsInTimeAndAnswersEachOfAHundredCallsThatHangUpstream) {
  sandbox_.AddFault({{"kind", "hang"}});
  AsyncCaller patient(client_.channel(), id_);
  AsyncCaller hasty(client_.channel(), id_);
  for (size_t i = 0; i < kHanging / 2; ++i) {
    patient.Start({.timeout = std::chrono::seconds(100)});
    hasty.Start({.timeout = kSettle + kGrace / 2});
  }
  AwaitPending(kHanging);

  SendSigterm();

  EXPECT_EQ(patient.Finish().count("UNAVAILABLE GATEWAY_DRAINING"), kHanging / 2)
      << testing::PrintToString(patient.endings().by_ending);
  // It may be the caller's own clock that ends such a call.
  const Endings of_hasty = hasty.Finish();
  EXPECT_EQ(
      of_hasty.count("DEADLINE_EXCEEDED UPSTREAM_TIMEOUT") + of_hasty.count("DEADLINE_EXCEEDED"),
      kHanging / 2)
      << testing::PrintToString(of_hasty.by_ending);
  ExpectGoodEnd();
  // None was left to itself at the upstream either.
  AwaitPending(0);
}

TEST_F(DrainTest, LetsCallsThatEndWithinTheGraceSucceed) {
  sandbox_.AddFault({{"kind", "latency"}, {"milliseconds", (kSettle + kGrace / 2).count()}});
  AsyncCaller caller(client_.channel(), id_);
  for (size_t i = 0; i < kHanging; ++i) caller.Start({.timeout = std::chrono::seconds(100)});
  AwaitPending(kHanging);

  SendSigterm();

  EXPECT_EQ(caller.Finish().count("OK"), kHanging)
      << testing::PrintToString(caller.endings().by_ending);
  ExpectGoodEnd();
}

// From the signal to the end: calls come all the time, from a caller that does not look at the
// health.
TEST_F(DrainTest, ServesTheCallsThatComeWhileItSettlesAndRefusesThoseThatComeLater) {
  sandbox_.AddFault({{"kind", "hang"}, {"path_prefix", "/verifications/hangs"}});
  AsyncCaller hanging(client_.channel(), "hangs");
  hanging.Start({.timeout = std::chrono::seconds(100)});
  AwaitPending(1);
  AsyncCaller settling(client_.channel(), id_);
  AsyncCaller late(client_.channel(), id_);

  SendSigterm();
  while (steady_clock::now() < signalled_ + kSettle * 0.8) {
    settling.Start();
    settling.AwaitAtMost(0);
  }
  e2e::WaitUntil([&] { return steady_clock::now() > signalled_ + kSettle * 1.2; });
  while (steady_clock::now() < signalled_ + kSettle + kGrace * 0.8) {
    late.Start();
    late.AwaitAtMost(0);
  }

  const Endings while_settling = settling.Finish();
  EXPECT_EQ(while_settling.count("OK"), while_settling.total())
      << testing::PrintToString(while_settling.by_ending);
  const Endings later = late.Finish();
  EXPECT_EQ(later.count("UNAVAILABLE GATEWAY_DRAINING"), later.total())
      << testing::PrintToString(later.by_ending);
  EXPECT_EQ(hanging.Finish().count("UNAVAILABLE GATEWAY_DRAINING"), 1U);
  std::cout << while_settling.total() << " calls while it settled, " << later.total() << " later"
            << std::endl;
  ExpectGoodEnd();
}

}  // namespace
}  // namespace idv::chaos
