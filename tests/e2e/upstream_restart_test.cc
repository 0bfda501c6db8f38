// An upstream that is restarted, and one that resets what is kept of its connections.

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/chaos/footprint.h"
#include "tests/e2e/attempt.h"
#include "tests/e2e/gateway.h"
#include "tests/e2e/sandbox.h"

namespace idv::e2e {
namespace {

using std::chrono::milliseconds;
using testing::AnyOf;

constexpr milliseconds kPatience{5000};
// Long before the patience is over, however busy the machine is.
constexpr milliseconds kAtOnce{500};
constexpr size_t kCalls = 20;

using Calling = std::function<Attempt(size_t number)>;

// Makes so many calls at the same time.
std::vector<Attempt> AtOnce(size_t count, const Calling& call) {
  std::vector<std::future<Attempt>> calls;
  for (size_t i = 0; i < count; ++i) calls.push_back(std::async(std::launch::async, call, i));
  std::vector<Attempt> attempts;
  for (auto& ending : calls) attempts.push_back(ending.get());
  return attempts;
}

class UpstreamRestartTest : public testing::Test {
 protected:
  Attempt Get(size_t = 0) const { return TryGet(client_, kPatience); }
  // A creation that can be told from the others.
  Attempt Post(size_t number = 0) const {
    return TryPost(client_, kPatience, "test-approve-" + std::to_string(number));
  }
  std::vector<Attempt> Gets(size_t count) const {
    return AtOnce(count, [this](size_t number) { return Get(number); });
  }
  std::vector<Attempt> Posts(size_t count) const {
    return AtOnce(count, [this](size_t number) { return Post(number); });
  }

  size_t Connections() {
    return chaos::Footprint::Of(gateway_.process().pid(), port_).upstream_connections;
  }

  // Has the gateway keep as many connections as there are calls.
  void FillThePool() {
    sandbox_->AddFault({{"kind", "latency"}, {"milliseconds", 300}});
    for (const Attempt& attempt : Gets(kCalls)) ExpectTold(attempt, kFine);
    sandbox_->ClearFaults();
    EXPECT_GE(Connections(), kCalls);
  }

  void Stop() { sandbox_.reset(); }
  void Start() { sandbox_.emplace(std::vector<std::string>{}, port_); }

  // Every creation that has arrived did so once.
  void ExpectNoneTwice() const {
    const Json requests = sandbox_->Requests("/verifications");
    std::set<std::string> bodies;
    for (const Json& request : requests) bodies.insert(request["body_sha256"].get<std::string>());
    EXPECT_EQ(bodies.size(), requests.size()) << requests;
  }

  std::optional<Sandbox> sandbox_{std::in_place};
  const int port_ = sandbox_->port();
  Gateway gateway_{OneRequestPerCall(BasicConfig(sandbox_->base_url())), Transparent()};
  const Client client_{Connect(gateway_.addresses()[0])};
};

TEST_F(UpstreamRestartTest, CostsNoCallThatComesAfterIt) {
  FillThePool();

  Stop();
  Start();

  ExpectTold(Post(), kFine);
  for (const Attempt& attempt : Gets(kCalls)) ExpectTold(attempt, kFine);
  EXPECT_EQ(sandbox_->Requests("/verifications").size(), 1U);
}

TEST_F(UpstreamRestartTest, IsToldAtOnceAsLongAsTheUpstreamIsDown) {
  FillThePool();
  Stop();

  for (const Attempt& attempt : {Get(), Post(), Get()}) {
    ExpectTold(attempt, kLost);
    EXPECT_LT(attempt.took, kAtOnce);
  }
  Start();

  ExpectTold(Get(), kFine);
  ExpectTold(Post(), kFine);
}

TEST_F(UpstreamRestartTest, EndsCallsUnderWayAtOnce) {
  sandbox_->AddFault({{"kind", "hang"}});
  std::future<std::vector<Attempt>> posts =
      std::async(std::launch::async, [this] { return Posts(kCalls); });
  ASSERT_TRUE(WaitUntil([&] { return sandbox_->Requests().size() == kCalls; }));

  Stop();
  const auto stopped = std::chrono::steady_clock::now();
  const std::vector<Attempt> attempts = posts.get();

  EXPECT_LT(std::chrono::steady_clock::now() - stopped, kAtOnce);
  for (const Attempt& attempt : attempts) ExpectTold(attempt, kLost);
}

TEST_F(UpstreamRestartTest, LosesCallsOrServesThemButActsOnNoneTwice) {
  std::atomic<bool> over = false;
  std::atomic<size_t> number = 0;
  std::future<std::vector<Attempt>> callers = std::async(std::launch::async, [&] {
    return AtOnce(kCalls, [&](size_t) {
      Attempt last;
      while (!over) {
        last = Post(number++);
        EXPECT_THAT(Describe(last), AnyOf("OK", "UPSTREAM_UNREACHABLE/vendor"));
        EXPECT_FALSE(last.late());
      }
      return last;
    });
  });

  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(WaitUntil([&] { return !sandbox_->Requests("/verifications").empty(); }));
    Stop();
    Start();
    EXPECT_TRUE(WaitUntil([&] { return !sandbox_->Requests("/verifications").empty(); }));
    ExpectNoneTwice();
  }
  over = true;

  callers.get();
  ExpectTold(Post(number), kFine);
  ExpectNoneTwice();
}

TEST_F(UpstreamRestartTest, ResetsOfAllKeptConnectionsCostNoCall) {
  FillThePool();
  sandbox_->AddFault({{"kind", "reset"}, {"at", "after_answer"}});
  sandbox_->AddFault({{"kind", "latency"}, {"milliseconds", 300}});
  for (const Attempt& attempt : Gets(kCalls)) ExpectTold(attempt, kFine);
  EXPECT_TRUE(WaitUntil([&] { return Connections() == 0; }));
  sandbox_->ClearFaults();
  sandbox_->ForgetRequests();

  for (const Attempt& attempt : Posts(kCalls)) ExpectTold(attempt, kFine);
  for (const Attempt& attempt : Gets(kCalls)) ExpectTold(attempt, kFine);

  EXPECT_EQ(sandbox_->Requests("/verifications").size(), kCalls);
  ExpectNoneTwice();
  EXPECT_EQ(sandbox_->Requests("/alerts").size(), kCalls);
}

TEST_F(UpstreamRestartTest, AGetIsRepeatedUntilItHasAConnectionThatIsAlive) {
  constexpr int kDead = 6;  // libcurl by itself gives up then
  FillThePool();
  sandbox_->ForgetRequests();
  sandbox_->AddFault({{"kind", "reset"}, {"at", "request_header"}, {"times", kDead}});

  const Attempt attempt = Get();

  ExpectTold(attempt, kFine);
  EXPECT_EQ(sandbox_->Requests().size(), kDead + 1U);
}

}  // namespace
}  // namespace idv::e2e
