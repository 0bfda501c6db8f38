// Gateways that count together what they spend.

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "auth/fetch.h"
#include "kora/idv/v1/verification_service.grpc.pb.h"
#include "tests/e2e/call.h"
#include "tests/e2e/gateway.h"
#include "tests/e2e/process.h"
#include "tests/e2e/sandbox.h"
#include "tests/upstream/redis/redis_server.h"

namespace idv::e2e {
namespace {

using kora::idv::v1::GetVerificationRequest;
using kora::idv::v1::VerificationService;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr int kAllowed = 10;  // by the plan `basic`, a minute

class RedisTest : public testing::Test {
 protected:
  Json Config(bool is_shared = true) const {
    Json config = BasicConfig(sandbox_.base_url());
    config["listen"]["admin"] = "127.0.0.1:0";
    config["shards"] = 2;
    config["tenants"][0]["plan"] = "basic";
    config["retry"]["max_attempts"] = 1;
    if (is_shared) config["budget"]["redis"]["address"] = redis_->address();
    return config;
  }

  void Start(const Json& config) {
    for (int i = 0; i < 2; ++i) {
      gateways_.push_back(std::make_unique<Gateway>(config));
      clients_.push_back(std::make_unique<Client>(Connect(gateways_.back()->addresses()[0])));
    }
    const auto counts = [this](const auto& gateway) {
      return Page(*gateway, "/readyz").find("Redis") == std::string::npos;
    };
    EXPECT_TRUE(WaitUntil([&] { return std::all_of(gateways_.begin(), gateways_.end(), counts); }));
  }

  // As many as are allowed, of each gateway at once.
  std::vector<Outcome> AskAllAtOnce(milliseconds timeout) {
    std::vector<std::future<Outcome>> asked;
    for (int i = 0; i < kAllowed; ++i) {
      for (const auto& client : clients_) {
        asked.push_back(std::async(std::launch::async, [&, i]() -> Outcome {
          GetVerificationRequest request;
          request.set_verification_id("nobody-" + std::to_string(i));
          return client->Call(&VerificationService::Stub::GetVerification, request,
                              {.metadata = {}, .timeout = timeout});
        }));
      }
    }
    std::vector<Outcome> outcomes;
    for (auto& one : asked) outcomes.push_back(one.get());
    return outcomes;
  }

  static int Count(const std::vector<Outcome>& outcomes, const std::string& reason) {
    int count = 0;
    for (const Outcome& outcome : outcomes) count += outcome.reason() == reason ? 1 : 0;
    return count;
  }

  int RefusedByTheUpstream() const {
    int refused = 0;
    for (const Json& request : sandbox_.Requests()) refused += request["status"] == 429 ? 1 : 0;
    return refused;
  }

  std::string Page(const Gateway& gateway, const std::string& path) const {
    const auto response = Fetcher().Fetch({.url = "http://" + gateway.admin_address() + path});
    return response.ok() ? response->body : response.status().ToString();
  }

  const Sandbox sandbox_{{"--plan", "basic", "--latency", "50ms"}};
  std::optional<RedisServer> redis_{std::in_place};
  std::vector<std::unique_ptr<Gateway>> gateways_;
  std::vector<std::unique_ptr<Client>> clients_;
};

TEST_F(RedisTest, TogetherTheySpendWhatOneMay) {
  Start(Config());

  const std::vector<Outcome> outcomes = AskAllAtOnce(seconds(5));

  EXPECT_EQ(Count(outcomes, "VERIFICATION_NOT_FOUND"), kAllowed);
  EXPECT_EQ(Count(outcomes, "BUDGET_EXHAUSTED"), kAllowed);
  EXPECT_EQ(RefusedByTheUpstream(), 0);
  for (const Outcome& outcome : outcomes) {
    if (outcome.reason() != "BUDGET_EXHAUSTED") continue;
    ASSERT_TRUE(outcome.retry_info);
    EXPECT_GT(outcome.retry_info->retry_delay().seconds(), 50);
  }
}

// What the test above would see if Redis did nothing.
TEST_F(RedisTest, ApartTheyAskForMore) {
  Start(Config(/*is_shared=*/false));

  AskAllAtOnce(seconds(5));

  EXPECT_GT(RefusedByTheUpstream(), 0);
}

TEST_F(RedisTest, WithoutItEachServesOnAndSaysSo) {
  Start(Config());
  const std::string address = redis_->address();
  redis_.reset();

  ASSERT_TRUE(
      WaitUntil([&] { return Page(*gateways_[0], "/readyz").find("Redis") != std::string::npos; }));

  EXPECT_THAT(Page(*gateways_[0], "/readyz"),
              HasSubstr("Redis at " + address + " is out of reach"));
  EXPECT_THAT(Page(*gateways_[0], "/metrics"), HasSubstr("\nidv_gateway_redis_unreachable 1"));
  EXPECT_TRUE(gateways_[0]->IsLogged("Redis is out of reach"));
  clients_.pop_back();
  const std::vector<Outcome> outcomes = AskAllAtOnce(seconds(5));
  EXPECT_EQ(Count(outcomes, "VERIFICATION_NOT_FOUND"), kAllowed);
}

TEST_F(RedisTest, APasswordThatIsNoneIsAProblemOfTheStart) {
  Json config = Config();
  config["budget"]["redis"].update({{"password_file", "/nowhere/password"}, {"ca_file", "/ca"}});
  const TempDir dir;
  const auto refused = RunGateway(dir.Write("config.yaml", config.dump()), {"--check"});

  EXPECT_EQ(refused->Wait(), 2);
  EXPECT_THAT(refused->Err(), HasSubstr("budget.redis.ca_file: needs tls: true"));

  config["budget"]["redis"].erase("ca_file");
  const auto unreadable = RunGateway(dir.Write("config.yaml", config.dump()), {"--check"});
  EXPECT_EQ(unreadable->Wait(), 2);
  EXPECT_THAT(unreadable->Err(), HasSubstr("budget.redis.password_file: /nowhere/password"));
}

}  // namespace
}  // namespace idv::e2e
