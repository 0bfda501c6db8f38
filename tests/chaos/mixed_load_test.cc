// All RPCs at once, with deadlines, cancels and connections that are cut, before an upstream that
// fails in every way it can.

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <random>
#include <sstream>
#include <string>

#include "kora/idv/v1/fraud_alert_service.grpc.pb.h"
#include "tests/chaos/async_caller.h"
#include "tests/chaos/footprint.h"
#include "tests/chaos/size.h"
#include "tests/chaos/storm.h"
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
using kora::idv::v1::FraudAlertService;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const seconds kDuration = Sized(seconds(30), seconds(600));
// Between two pauses: not as many requests as the sandbox's log holds.
constexpr milliseconds kStorm{5000};
constexpr size_t kLogged = 20'000;

// A call that held its place for ever would soon be missed.
constexpr size_t kMaxInFlight = 300;
constexpr size_t kBurst = 200;

constexpr seconds kUntilStuck{30};
// The gateway waits so long at its end if it takes a call to be running.
constexpr seconds kGrace{30};
constexpr seconds kEnd{kIsInstrumented ? 20 : 5};

constexpr size_t kMoreThreads = 4;
// All answers and uploads that may be in flight take less.
constexpr size_t kMaxResidentKib = (kIsInstrumented ? 1024 : 256) * size_t{1024};

constexpr size_t kKindsOfFaults = 17;
// Endings that no run goes without.
constexpr std::array kExpected = {
    "CANCELLED",
    "DEADLINE_EXCEEDED",
    "DEADLINE_EXCEEDED DEADLINE_IN_QUEUE",
    "DEADLINE_EXCEEDED UPSTREAM_TIMEOUT",
    "FAILED_PRECONDITION INVALID_STATE",
    "INTERNAL UPSTREAM_BAD_RESPONSE",
    "INTERNAL UPSTREAM_ERROR",
    "INTERNAL UPSTREAM_RESPONSE_TOO_LARGE",
    "INTERNAL UPSTREAM_UNEXPECTED_STATUS",
    "INVALID_ARGUMENT IMAGE_TOO_LARGE",
    "INVALID_ARGUMENT INVALID_FIELD",
    "INVALID_ARGUMENT REQUEST_MALFORMED",
    "INVALID_ARGUMENT UPSTREAM_INVALID_REQUEST",
    "NOT_FOUND VERIFICATION_NOT_FOUND",
    "RESOURCE_EXHAUSTED UPSTREAM_RATE_LIMITED",
    "UNAVAILABLE UPSTREAM_CREDENTIAL_REJECTED",
    "UNAVAILABLE UPSTREAM_UNAVAILABLE",
    "UNAVAILABLE UPSTREAM_UNREACHABLE",
};

// Given again, a run makes the same choices; what they meet is left to chance.
uint64_t Seed() {
  const char* const given = std::getenv("IDV_SEED");
  const uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  std::cout << "IDV_SEED=" << seed << std::endl;
  return seed;
}

class MixedLoadTest : public testing::Test {
 protected:
  static Json Config(const Sandbox& sandbox) {
    // Else most calls would end at once, by what calls and faults before them have done.
    Json config = e2e::OneRequestPerCall(e2e::BasicConfig(sandbox.base_url()));
    config["limits"] = {
        {"max_in_flight", kMaxInFlight}, {"max_image", "3MiB"}, {"upstream_response", "1MiB"}};
    config["drain"]["unary_grace"] = std::to_string(kGrace.count()) + "s";
    config["shards"] = 2;
    return config;
  }

  // Nothing is wrong at the upstream, so nothing may fail.
  Subjects ExpectHealth() {
    Subjects subjects = NewSubjects();
    AsyncCaller caller(client_.channel(), subjects.verification_ids[0]);
    for (size_t i = 0; i < kBurst; ++i) caller.Start();
    EXPECT_EQ(caller.Finish().count("OK"), kBurst)
        << testing::PrintToString(caller.endings().by_ending);
    return subjects;
  }

  void ExpectNoHarmFromAStorm(const Subjects& subjects) {
    sandbox_.ForgetRequests();
    EXPECT_TRUE(storm_.Rage(subjects, kStorm))
        << ledger_.begun() - ledger_.ended() << " calls are stuck";
    const Json requests = EndedRequests();
    EXPECT_LT(requests.size(), kLogged);
    ledger_.Compare(requests);
    EXPECT_THAT(ledger_.problems(), IsEmpty());
  }

  // It was no easy time, nor one in which nothing worked.
  void ExpectAMixture() {
    EXPECT_GT(ledger_.Count("OK"), ledger_.ended() / 10);
    for (const Rpc& rpc : storm_.rpcs()) EXPECT_GT(ledger_.Successes(rpc), 0U) << rpc.path;
    for (const char* const ending : kExpected) EXPECT_GT(ledger_.Count(ending), 0U) << ending;
    EXPECT_GT(ledger_.Cut(), 0U);
    EXPECT_EQ(storm_.faults().by_kind().size(), kKindsOfFaults);
  }

  Footprint Now() { return Footprint::Of(gateway_.process().pid(), sandbox_.port()); }
  size_t MostResidentKib() { return StatusKib(gateway_.process().pid(), "VmHWM"); }

  Footprint AfterAtMost(const Footprint& before) {
    e2e::WaitUntil([&] {
      const Footprint now = Now();
      return now.threads <= before.threads && now.descriptors <= before.descriptors;
    });
    return Now();
  }

  // A program with a leak, or a finding of its sanitizer, ends with another exit code.
  void ExpectGoodEnds() {
    const auto signalled = steady_clock::now();
    EXPECT_EQ(gateway_.Stop(), 0);
    EXPECT_LT(steady_clock::now() - signalled, kEnd) << "it has waited for calls";
    const std::string said = WithoutRefusedKeys(gateway_.process().Err());
    EXPECT_THAT(said, HasSubstr("\"stopped\""));
    for (const char* const bad : {"\"level\":\"error\"", "Sanitizer", "runtime error"}) {
      EXPECT_THAT(said, Not(HasSubstr(bad)));
    }
    sandbox_.process().Signal(SIGTERM);
    EXPECT_EQ(sandbox_.process().Wait(), 0);
    EXPECT_EQ(sandbox_.process().Err(), "");
  }

 private:
  // One of the faults is a 401 now and then, which is an error to whoever serves the tenant.
  static std::string WithoutRefusedKeys(const std::string& log) {
    std::istringstream lines(log);
    std::string others;
    for (std::string line; std::getline(lines, line);) {
      if (line.find("refuses the tenant's API key") == std::string::npos) others += line + "\n";
    }
    return others;
  }

  Subjects NewSubjects() {
    Subjects subjects;
    const std::string pause = std::to_string(++pauses_);
    for (int i = 0; i < 20; ++i) {
      subjects.external_ids.push_back("pool-" + pause + "-" + std::to_string(i));
      const std::string id = e2e::Create(client_, subjects.external_ids.back()).id();
      e2e::UploadFront(client_, id);
      subjects.verification_ids.push_back(id);
    }
    for (int i = 0; i < 4; ++i) {
      const std::string name = pause + "-" + std::to_string(i);
      e2e::RunThrough(client_, "test-fraud-" + name);
      subjects.verification_ids.push_back(e2e::RunThrough(client_, "test-review-" + name).id());
    }
    kora::idv::v1::ListFraudAlertsRequest open;
    open.set_status(kora::idv::v1::FRAUD_ALERT_STATUS_OPEN);
    const auto alerts = client_.Call(&FraudAlertService::Stub::ListFraudAlerts, open);
    EXPECT_TRUE(alerts.ok()) << testing::PrintToString<e2e::Outcome>(alerts);
    for (const auto& alert : alerts.response.alerts()) subjects.alert_ids.push_back(alert.id());
    return subjects;
  }

  // What the upstream has received, once no transfer is left to itself. It need not be through with
  // reading what it reads slowly: it finds late that the client has gone.
  Json EndedRequests() const {
    Json requests;
    Json pending;
    const auto is_pending = [](const Json& request) {
      return request["outcome"] == "pending" && request["body_complete"] == true;
    };
    const auto ended = [&] {
      requests = sandbox_.Requests();
      pending = Json::array();
      std::copy_if(requests.begin(), requests.end(), std::back_inserter(pending), is_pending);
      return pending.empty();
    };
    EXPECT_TRUE(e2e::WaitUntil(ended, kUntilStuck)) << "transfers are stuck: " << pending.dump(2);
    return requests;
  }

 protected:
  Sandbox sandbox_;
  Gateway gateway_{Config(sandbox_), e2e::Transparent()};
  const Client client_{Connect(gateway_.addresses()[0])};
  size_t pauses_ = 0;
  Storm storm_{Seed(), sandbox_, gateway_.addresses()[0]};
  Ledger& ledger_ = storm_.ledger();
};

TEST_F(MixedLoadTest, GivesEveryCallOneGoodStatusInTimeWhateverGoesWrong) {
  Subjects subjects = ExpectHealth();
  const Footprint before = Now();

  const auto end = steady_clock::now() + kDuration;
  while (steady_clock::now() < end && !HasFailure()) {
    ExpectNoHarmFromAStorm(subjects);
    subjects = ExpectHealth();
  }

  const Footprint after = AfterAtMost(before);
  ledger_.Print(std::cout);
  std::cout << "on average " << storm_.in_flight() << " in flight, " << pauses_
            << " pauses, faults " << testing::PrintToString(storm_.faults().by_kind())
            << "\n  before: " << before << "\n  after:  " << after << "; the most resident was "
            << MostResidentKib() << " KiB" << std::endl;
  EXPECT_EQ(ledger_.ended(), ledger_.begun());
  ExpectAMixture();
  EXPECT_LE(after.threads, before.threads + kMoreThreads);
  EXPECT_LE(after.descriptors, before.descriptors);
  EXPECT_LE(MostResidentKib(), kMaxResidentKib);
  ExpectGoodEnds();
}

}  // namespace
}  // namespace idv::chaos
