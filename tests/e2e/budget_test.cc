// What the upstream allows a tenant, and who of its callers gets it.

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <functional>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "kora/idv/v1/fraud_alert_service.grpc.pb.h"
#include "kora/idv/v1/verification_service.grpc.pb.h"
#include "tests/auth/token_maker.h"
#include "tests/e2e/call.h"
#include "tests/e2e/gateway.h"
#include "tests/e2e/process.h"
#include "tests/e2e/sandbox.h"

namespace idv::e2e {
namespace {

using grpc::StatusCode;
using kora::idv::v1::FraudAlertService;
using kora::idv::v1::GetVerificationRequest;
using kora::idv::v1::VerificationService;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kAllowed = 10;  // by the plan `basic`, a minute

// The parameter is the number of shards.
class BudgetTest : public testing::TestWithParam<int> {
 protected:
  // `changes`: of the tenant.
  void Start(const Json& changes) {
    Json config = BasicConfig(sandbox_.base_url());
    config["shards"] = GetParam();
    config["tenants"][0].update(changes);
    config["retry"]["max_attempts"] = 1;
    gateway_.emplace(config);
    client_.emplace(Connect(gateway_->addresses()[0]));
  }

  // Of a verification that there is not, each time another one.
  Outcome Ask(milliseconds timeout, Metadata metadata = {}) {
    GetVerificationRequest request;
    request.set_verification_id("nobody-" + std::to_string(++asked_));
    return client_->Call(&VerificationService::Stub::GetVerification, request,
                         {.metadata = std::move(metadata), .timeout = timeout});
  }

  static bool IsAnswered(const Outcome& outcome) {
    return outcome.status.error_code() == StatusCode::NOT_FOUND;
  }

  // The upstream's window has but a few seconds left, and no request.
  void SpendAllOfAWindowThatEnds() {
    EXPECT_TRUE(IsAnswered(Ask(seconds(5))));
    sandbox_.AdvanceClock(seconds(56));
    for (int i = 1; i < kAllowed; ++i) EXPECT_TRUE(IsAnswered(Ask(seconds(5))));
  }

  int Refused() const {
    int refused = 0;
    for (const Json& request : sandbox_.Requests()) refused += request["status"] == 429 ? 1 : 0;
    return refused;
  }

  const Sandbox sandbox_{{"--plan", "basic"}};
  std::optional<Gateway> gateway_;
  std::optional<Client> client_;
  std::atomic<int> asked_ = 0;
};

TEST_P(BudgetTest, ACallWaitsForTheNextWindowWhileItsDeadlineAllows) {
  Start({{"plan", "basic"}});
  SpendAllOfAWindowThatEnds();

  std::vector<std::future<Outcome>> waiting;
  for (int i = 0; i < 5; ++i) {
    waiting.push_back(std::async(std::launch::async, [&] { return Ask(seconds(20)); }));
  }

  for (auto& call : waiting) EXPECT_TRUE(IsAnswered(call.get()));
  EXPECT_EQ(Refused(), 0);
}

TEST_P(BudgetTest, ACallThatCannotWaitIsToldWhenToComeBackAndThenHasRoom) {
  Start({{"plan", "basic"}});
  SpendAllOfAWindowThatEnds();

  const auto begin = std::chrono::steady_clock::now();
  const Outcome refused = Ask(milliseconds(500));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(3));

  EXPECT_EQ(refused.reason(), "BUDGET_EXHAUSTED");
  ASSERT_TRUE(refused.retry_info.has_value());
  const auto& delay = refused.retry_info->retry_delay();
  const milliseconds wait(delay.seconds() * 1000 + delay.nanos() / 1'000'000);
  EXPECT_LE(wait, seconds(6));
  std::this_thread::sleep_until(begin + wait + milliseconds(50));
  EXPECT_TRUE(IsAnswered(Ask(seconds(5))));
  EXPECT_EQ(Refused(), 0);
}

TEST_P(BudgetTest, BatchCallsAreSpreadOverAWindowAndLeaveItToOthers) {
  Start({{"plan", "basic"}});
  int answered = 0;
  for (int i = 0; i < kAllowed; ++i) {
    answered += IsAnswered(Ask(milliseconds(300), {{"x-idv-priority", "batch"}})) ? 1 : 0;
  }
  EXPECT_EQ(answered, 1);

  for (; answered < kAllowed; ++answered) EXPECT_TRUE(IsAnswered(Ask(milliseconds(900))));
  EXPECT_EQ(Ask(milliseconds(300)).reason(), "BUDGET_EXHAUSTED");
}

TEST_P(BudgetTest, AnAllowanceOfOnesOwnCountsBeforeTheUpstreams) {
  Start({{"allowance", {{"requests_per_minute", 3}}}});

  for (int i = 0; i < 3; ++i) EXPECT_TRUE(IsAnswered(Ask(seconds(5))));

  EXPECT_EQ(Ask(milliseconds(300)).reason(), "BUDGET_EXHAUSTED");
  EXPECT_EQ(sandbox_.Requests().size(), 3U);
}

TEST_P(BudgetTest, APriorityThatIsNoneIsRefused) {
  Start(Json::object());
  for (const char* const priority : {"", "urgent", "Interactive", "batch "}) {
    const Outcome outcome = Ask(seconds(5), {{"x-idv-priority", priority}});
    EXPECT_EQ(outcome.reason(), "INVALID_FIELD") << priority;
  }
  EXPECT_EQ(Ask(seconds(5), {{"x-idv-priority", "batch"}, {"x-idv-priority", "batch"}}).reason(),
            "INVALID_FIELD");
  EXPECT_TRUE(sandbox_.Requests().empty());
}

INSTANTIATE_TEST_SUITE_P(Shards, BudgetTest, testing::Values(1, 2, 4));

// Two callers, known by tokens.
class FairnessTest : public testing::TestWithParam<int> {
 protected:
  static constexpr int kPerMinute = 60;

  Json Config() const {
    std::ofstream(jwks_file_) << KeySetOf(Json::array({key_.PublicKey()}));
    Json config = BasicConfig(sandbox_.base_url());
    config["shards"] = GetParam();
    config["tenants"][0]["allowance"] = {{"requests_per_minute", kPerMinute}};
    config["authentication"]["jwt"] = Json::array(
        {{{"issuer", "https://issuer"}, {"audience", "idv-gateway"}, {"jwks_file", jwks_file_}}});
    config["callers"][0]["identity"] = "caller-*";
    return config;
  }

  std::string Token(const std::string& caller) const {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto time = std::chrono::duration_cast<seconds>(now).count();
    return key_.Sign({{"aud", Json::array({"idv-gateway"})},
                      {"exp", time + 3600},
                      {"iat", time},
                      {"iss", "https://issuer"},
                      {"sub", caller}},
                     "RS256");
  }

  // Each time another verification.
  bool IsAnswered(const Client& client, const std::string& token, milliseconds timeout) {
    GetVerificationRequest request;
    request.set_verification_id("nobody-" + std::to_string(++asked_));
    const Outcome outcome =
        client.Call(&VerificationService::Stub::GetVerification, request,
                    {.metadata = {{"authorization", "Bearer " + token}}, .timeout = timeout});
    return outcome.status.error_code() == StatusCode::NOT_FOUND;
  }

  const TempDir dir_;
  const TokenMaker key_{"RSA-2048", "key-1"};
  const std::string jwks_file_ = dir_.Path("jwks.json");
  const Sandbox sandbox_;
  const Gateway gateway_{Config()};
  std::atomic<int> asked_ = 0;
};

TEST_P(FairnessTest, ACallerThatAsksAHundredTimesAsMuchDoesNotStarveAnother) {
  constexpr int kShare = kPerMinute / 2;
  const std::string modest = Token("caller-b");
  const std::string greedy = Token("caller-a");
  const Client client(Connect(gateway_.addresses()[0]));
  int answered = IsAnswered(client, modest, seconds(5)) ? 1 : 0;
  std::atomic<bool> is_over = false;
  std::atomic<int> of_greedy = 0;
  std::atomic<int> greedy_asked = 0;
  std::vector<std::thread> crowd;
  for (int i = 0; i < 8; ++i) {
    crowd.emplace_back([&] {
      const Client own(Connect(gateway_.addresses()[0]));
      while (!is_over) {
        ++greedy_asked;
        of_greedy += IsAnswered(own, greedy, milliseconds(150)) ? 1 : 0;
      }
    });
  }

  for (int i = 1; i < kShare; ++i) {
    std::this_thread::sleep_for(milliseconds(150));
    answered += IsAnswered(client, modest, seconds(2)) ? 1 : 0;
  }
  is_over = true;
  for (std::thread& thread : crowd) thread.join();

  std::printf("%d of %d answered, against %d of %d\n", answered, kShare, of_greedy.load(),
              greedy_asked.load());
  EXPECT_GE(answered, kPerMinute * 45 / 100);
  EXPECT_GE(of_greedy, kShare / 2);
}

INSTANTIATE_TEST_SUITE_P(Shards, FairnessTest, testing::Values(1, 2, 4));

}  // namespace
}  // namespace idv::e2e
