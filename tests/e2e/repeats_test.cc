// What is asked of the upstream again, and when it is asked no more.

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>

#include "kora/idv/v1/biometric_service.grpc.pb.h"
#include "kora/idv/v1/verification_service.grpc.pb.h"
#include "tests/e2e/attempt.h"
#include "tests/e2e/call.h"
#include "tests/e2e/fault_rows.h"
#include "tests/e2e/gateway.h"
#include "tests/e2e/sandbox.h"
#include "tests/e2e/steps.h"

namespace idv::e2e {
namespace {

using kora::idv::v1::BiometricService;
using kora::idv::v1::CreateVerificationRequest;
using kora::idv::v1::GetVerificationRequest;
using kora::idv::v1::VerificationService;
using std::chrono::milliseconds;
using testing::AnyOf;

constexpr milliseconds kTimeout{3000};
constexpr size_t kMaxAttempts = 3;
constexpr size_t kImageBytes = 1 << 20;
// Calls that earn the tenant as many repeats as can be saved up.
constexpr int kEarningCalls = 60;

class RepeatsTest : public testing::Test {
 protected:
  // As by default, but that nothing waits for an allowance.
  Json Config(bool has_breaker) const {
    Json config = BasicConfig(sandbox_.base_url());
    config["tenants"][0]["plan"] = "unlimited";
    if (!has_breaker) config["breaker"]["failures"] = 0;
    return config;
  }

  void Start(const Json& config) {
    gateway_.emplace(config);
    client_.emplace(Connect(gateway_->addresses()[0]));
    id_ = Create(*client_, "test-approve-0").id();
    UploadFront(*client_, id_);
  }

  void Earn(int calls = kEarningCalls) const {
    for (int i = 0; i < calls; ++i) EXPECT_TRUE(Get(id_).ok());
    sandbox_.ForgetRequests();
  }

  Outcome Get(const std::string& id) const {
    GetVerificationRequest request;
    request.set_verification_id(id);
    return client_->Call(&VerificationService::Stub::GetVerification, request, options_);
  }
  Outcome Post(const std::string& external_id = "test-approve-1") const {
    CreateVerificationRequest request;
    request.set_external_id(external_id);
    return client_->Call(&VerificationService::Stub::CreateVerification, request, options_);
  }
  Outcome UploadSelfie() const {
    kora::idv::v1::UploadSelfieRequest request;
    request.set_verification_id(id_);
    request.set_image(std::string(kImageBytes, 'x'));
    return client_->Call(&BiometricService::Stub::UploadSelfie, request, options_);
  }

  // Requests that may have been executed.
  static size_t Executable(const Json& requests) {
    return static_cast<size_t>(
        std::count_if(requests.begin(), requests.end(), [](const Json& request) {
          const int status = request.value("status", 0);
          return request["body_complete"] == true && status != 401 && status != 429;
        }));
  }

  // x-idv-attempts, or what ErrorInfo says; nothing if the caller's library has spoken.
  static std::optional<size_t> AttemptsOf(const Outcome& outcome) {
    const auto trailer = outcome.Trailer("x-idv-attempts");
    return trailer ? std::optional(std::stoul(*trailer)) : std::nullopt;
  }

  static bool IsLoss(const Json& fault) {
    const std::string kind = fault["kind"];
    return kind == "reset" || kind == "close";
  }

  const CallOptions options_{.timeout = kTimeout};
  const Sandbox sandbox_{{"--attempts-per-day", "0"}};
  std::optional<Gateway> gateway_;
  std::optional<Client> client_;
  std::string id_;
};

TEST_F(RepeatsTest, NoFaultMakesAWriteActTwice) {
  Start(Config(/*has_breaker=*/false));
  for (const FaultRow& row : FaultRows()) {
    for (const bool is_upload : {false, true}) {
      SCOPED_TRACE(row.fault.dump() + (is_upload ? " upload" : " POST"));
      Earn(10);
      sandbox_.AddFault(row.fault);

      const Outcome outcome = is_upload ? UploadSelfie() : Post();

      const Json requests = sandbox_.Requests("/verifications");
      EXPECT_LE(Executable(requests), 1U) << requests;
      EXPECT_LE(requests.size(), kMaxAttempts) << requests;
      if (const auto attempts = AttemptsOf(outcome)) {
        EXPECT_EQ(*attempts, requests.size());
      }
      sandbox_.ClearFaults();
    }
  }
}

TEST_F(RepeatsTest, AGetIsRepeatedSoOftenAndNoMoreAndItsCallerIsTold) {
  Start(Config(/*has_breaker=*/false));
  for (const FaultRow& row : FaultRows()) {
    SCOPED_TRACE(row.fault.dump());
    Earn(10);
    sandbox_.AddFault(row.fault);

    const Outcome outcome = Get(id_);

    const Json requests = sandbox_.Requests("/verifications");
    std::printf("%-66s %-38s %zu sent\n", row.fault.dump().c_str(), Describe(outcome).c_str(),
                requests.size());
    EXPECT_EQ(AttemptsOf(outcome), requests.size());
    // The first may find that its connection was dead, which libcurl repeats.
    EXPECT_LE(requests.size(), kMaxAttempts + (IsLoss(row.fault) ? 1 : 0)) << requests;
    if (row.get.code == grpc::StatusCode::OK) {
      EXPECT_EQ(requests.size(), 1U);
    }
    if (row.get.reason == "UPSTREAM_ERROR") {
      EXPECT_EQ(requests.size(), kMaxAttempts);
    }
    if (row.get.reason == "UPSTREAM_UNAVAILABLE") {
      EXPECT_EQ(requests.size(), kMaxAttempts);
    }
    if (row.get.blame == "caller" && row.get.code != grpc::StatusCode::RESOURCE_EXHAUSTED) {
      EXPECT_EQ(requests.size(), 1U);
    }
    sandbox_.ClearFaults();
  }
}

TEST_F(RepeatsTest, AGetSucceedsWhenItsFirstRequestsFail) {
  Start(Config(/*has_breaker=*/false));
  Earn();
  for (const Json& fault : {StatusFault(500), StatusFault(503), StatusFault(429),
                            Json({{"kind", "reset"}, {"at", "during_answer"}})}) {
    sandbox_.ForgetRequests();
    Json twice = fault;
    twice["times"] = 2;
    sandbox_.AddFault(twice);

    const Outcome outcome = Get(id_);

    EXPECT_TRUE(outcome.ok()) << fault << testing::PrintToString(outcome);
    EXPECT_EQ(AttemptsOf(outcome), 3U);
    EXPECT_EQ(sandbox_.Requests().size(), 3U);
  }
}

Json Refusal(int status, const std::string& retry_after) {
  Json fault = StatusFault(status);
  fault["headers"] = {{"Retry-After", retry_after}};
  fault["times"] = 1;
  return fault;
}

int64_t MillisBetween(const Json& requests) {
  return requests[1]["received_at_ms"].get<int64_t>() - requests[0]["ended_at_ms"].get<int64_t>();
}

TEST_F(RepeatsTest, WhatTheUpstreamSaysOfWhenToComeBackIsHonoured) {
  Start(Config(/*has_breaker=*/false));
  Earn();
  sandbox_.AddFault(Refusal(503, "1"));
  EXPECT_TRUE(Get(id_).ok());
  const Json requests = sandbox_.Requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_GE(MillisBetween(requests), 990);

  sandbox_.ForgetRequests();
  sandbox_.AddFault(Refusal(503, "30"));
  const Outcome outcome = Get(id_);
  EXPECT_EQ(outcome.reason(), "UPSTREAM_UNAVAILABLE");
  EXPECT_EQ(sandbox_.Requests().size(), 1U);
}

TEST_F(RepeatsTest, AWriteThatWasRefusedForItsRateIsRepeatedInTime) {
  Start(Config(/*has_breaker=*/false));
  Earn();
  sandbox_.AddFault(Refusal(429, "1"));
  const Outcome outcome = Post();
  EXPECT_TRUE(outcome.ok()) << testing::PrintToString(outcome);
  EXPECT_EQ(AttemptsOf(outcome), 2U);
  const Json requests = sandbox_.Requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_GE(MillisBetween(requests), 990);
  EXPECT_EQ(requests[0]["body_sha256"], requests[1]["body_sha256"]);

  sandbox_.ForgetRequests();
  sandbox_.AddFault(Refusal(429, "30"));
  EXPECT_EQ(Post().reason(), "UPSTREAM_RATE_LIMITED");
  EXPECT_EQ(sandbox_.Requests().size(), 1U);
}

TEST_F(RepeatsTest, AnUploadThatWasRefusedForItsRateIsRepeatedWhole) {
  Start(Config(/*has_breaker=*/false));
  Earn();
  sandbox_.AddFault(Refusal(429, "0"));

  const Outcome outcome = UploadSelfie();

  EXPECT_TRUE(outcome.ok()) << testing::PrintToString(outcome);
  const Json requests = sandbox_.Requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[1]["body_complete"], true);
  EXPECT_GT(requests[1]["body_bytes"], kImageBytes);
}

TEST_F(RepeatsTest, AttemptsOfTheDayThatAreSpentAreNotAskedForAgain) {
  const Sandbox strict({"--attempts-per-day", "1"});
  Json config = Config(/*has_breaker=*/false);
  config["upstream"]["base_url"] = strict.base_url();
  Start(config);
  for (int i = 0; i < kEarningCalls; ++i) EXPECT_TRUE(Get(id_).ok());
  strict.ForgetRequests();

  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(Post("test-approve-0").reason(), "DAILY_ATTEMPTS_EXHAUSTED");

  EXPECT_EQ(strict.Requests().size(), 2U);
}

class AmplificationTest : public RepeatsTest, public testing::WithParamInterface<bool> {};

TEST_P(AmplificationTest, AnUpstreamThatAlwaysFailsIsAskedLittleMore) {
  constexpr size_t kCalls = 500;
  Start(Config(/*has_breaker=*/GetParam()));
  sandbox_.ForgetRequests();
  sandbox_.AddFault(StatusFault(500));

  size_t attempts = 0;
  for (size_t i = 0; i < kCalls; ++i) {
    const Outcome outcome = Get("v" + std::to_string(i));
    EXPECT_THAT(outcome.reason(), AnyOf("UPSTREAM_ERROR", "UPSTREAM_CIRCUIT_OPEN"));
    attempts += AttemptsOf(outcome).value_or(0);
  }

  const size_t requests = sandbox_.Requests().size();
  EXPECT_EQ(attempts, requests);
  EXPECT_LE(static_cast<double>(requests), 1.2 * kCalls + 1);
  if (GetParam()) {
    EXPECT_LE(requests, kCalls / 5);
  }
}

INSTANTIATE_TEST_SUITE_P(Breaker, AmplificationTest, testing::Bool(),
                         testing::PrintToStringParamName());

class CircuitTest : public RepeatsTest {
 protected:
  static constexpr int kFailures = 10;

  void Start(const std::string& open_for) {
    Json config = Config(/*has_breaker=*/true);
    config["breaker"]["open_for"] = open_for;
    config["retry"]["max_attempts"] = 1;
    RepeatsTest::Start(config);
    sandbox_.ForgetRequests();
  }

  void FailReads(int count = kFailures) const {
    sandbox_.AddFault({{"kind", "status"}, {"status", 500}, {"method", "GET"}});
    for (int i = 0; i < count; ++i) EXPECT_EQ(Get(id_).reason(), "UPSTREAM_ERROR");
  }
};

TEST_F(CircuitTest, OpensAfterManyFailuresAndSaysForHowLong) {
  Start("60s");
  FailReads();
  sandbox_.ForgetRequests();

  const Outcome outcome = Get(id_);

  EXPECT_EQ(Describe(outcome), "UPSTREAM_CIRCUIT_OPEN/vendor");
  EXPECT_EQ(outcome.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  ASSERT_TRUE(outcome.retry_info);
  EXPECT_GT(outcome.retry_info->retry_delay().seconds(), 30);
  EXPECT_LE(outcome.retry_info->retry_delay().seconds(), 60);
  EXPECT_EQ(AttemptsOf(outcome), 0U);
  EXPECT_TRUE(sandbox_.Requests().empty());
}

TEST_F(CircuitTest, OfReadsIsNotThatOfWritesOrUploads) {
  Start("60s");
  FailReads();

  EXPECT_EQ(Get(id_).reason(), "UPSTREAM_CIRCUIT_OPEN");
  EXPECT_TRUE(Post().ok());
  EXPECT_TRUE(UploadSelfie().ok());
}

TEST_F(CircuitTest, LetsOneThroughAfterAWhileThatFailsAndOpensItAgain) {
  Start("300ms");
  FailReads();
  sandbox_.ForgetRequests();

  // Each failure opens it anew, so there is one request for each of them.
  ASSERT_TRUE(WaitUntil([&] { return Get(id_).reason() == "UPSTREAM_ERROR"; }));
  EXPECT_EQ(sandbox_.Requests().size(), 1U);
  ASSERT_TRUE(WaitUntil([&] { return Get(id_).reason() == "UPSTREAM_ERROR"; }));

  const Json requests = sandbox_.Requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_GE(MillisBetween(requests), 290);
}

TEST_F(CircuitTest, LetsAnotherOneThroughWhenTheFirstIsGivenUpAndClosesOnItsSuccess) {
  Start("300ms");
  FailReads();
  sandbox_.ClearFaults();
  sandbox_.AddFault({{"kind", "hang"}, {"times", 1}});
  sandbox_.ForgetRequests();
  std::optional<PendingGet> probe;
  ASSERT_TRUE(WaitUntil([&] {
    probe.emplace(*client_, "v0");
    return WaitUntil([&] { return !sandbox_.Requests().empty(); }, milliseconds(50));
  }));

  probe.reset();  // it says nothing, so that the next one is let through

  EXPECT_TRUE(WaitUntil([&] { return Get(id_).ok(); }));
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(Get(id_).ok());
}

}  // namespace
}  // namespace idv::e2e
