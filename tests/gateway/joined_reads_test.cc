// Reads of one tenant that want the same at the same time share a request to the upstream, and
// nothing of each other's fate.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "gateway/hurry.h"
#include "tests/eventually.h"
#include "tests/gateway/probe_gateway.h"

namespace idv {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr int kCallers = 6;
constexpr int kTries = 5;
// Longer than anything may take.
constexpr seconds kPatience{60};
#ifdef IDV_INSTRUMENTED
constexpr milliseconds kAbortLimit{500};
constexpr milliseconds kJoining{2000};
#else
constexpr milliseconds kJoining{300};
constexpr milliseconds kAbortLimit{50};
#endif

class JoinedReadsTest : public ProbeGatewayTest {
 protected:
  // A call under way, over a connection of its own, on a thread of its own.
  class Caller {
   public:
    Caller(const std::shared_ptr<grpc::Channel>& channel, const std::string& name,
           milliseconds timeout)
        : stub_(test::ProbeService::NewStub(channel)) {
      context_.set_deadline(std::chrono::system_clock::now() + timeout);
      context_.set_wait_for_ready(true);
      request_.set_name(name);
      status_ = std::async(std::launch::async,
                           [this] { return stub_->Find(&context_, request_, &found_); });
    }
    ~Caller() {
      if (!status_.valid()) return;
      Cancel();
      status_.wait();
    }
    Caller(const Caller&) = delete;
    Caller& operator=(const Caller&) = delete;

    void Cancel() { context_.TryCancel(); }
    bool has_ended() const {
      return status_.wait_for(milliseconds(0)) == std::future_status::ready;
    }
    // Once.
    grpc::Status Finish() { return status_.get(); }

    // Of one that has ended.
    const test::Found& found() const { return found_; }
    const grpc::ClientContext& context() const { return context_; }
    std::string source() const { return TrailerOf(context_, "x-idv-cache"); }
    std::string attempts() const { return TrailerOf(context_, "x-idv-attempts"); }

   private:
    std::unique_ptr<test::ProbeService::Stub> stub_;
    grpc::ClientContext context_;
    test::FindRequest request_;
    test::Found found_;
    std::future<grpc::Status> status_;
  };

  JoinedReadsTest() { SpendWithCare("unlimited"); }

  // Reads wait for Answer(), and then tell which request they are; writes are answered at once.
  void StartWaiting(const std::string& more_config = "") {
    Start(
        [answered = answer_.get_future().share(),
         reads = std::make_shared<std::atomic<int>>()](const StubServer::Request& request) {
          if (request.verb != "GET") return StubServer::Http(200, R"({"id":"a"})");
          const int number = ++*reads;
          answered.wait();  // which ends with the test, too
          return StubServer::Http(200, R"({"total":)" + std::to_string(number) + "}");
        },
        more_config);
  }
  void Answer() { answer_.set_value(); }

  std::unique_ptr<Caller> Call(const std::string& name = "", milliseconds timeout = kPatience) {
    return std::make_unique<Caller>(Connect(), name, timeout);
  }

  // One that has sent its request, and then others that have joined it for all that can be told.
  std::vector<std::unique_ptr<Caller>> CallTogether(int count, milliseconds timeout = kPatience) {
    std::vector<std::unique_ptr<Caller>> callers;
    callers.push_back(Call("", timeout));
    AwaitUpstreamRequests(1);
    while (static_cast<int>(callers.size()) < count) callers.push_back(Call("", timeout));
    AwaitJoined();
    return callers;
  }

  // Gives calls that were begun the time to come as far as they can: of those that wait for
  // another one there is nothing to be seen. Where it is too short, they begin a request later, and
  // the test notices.
  static void AwaitJoined() { std::this_thread::sleep_for(kJoining); }

  size_t Reads() const {
    size_t reads = 0;
    for (const StubServer::Request& request : upstream_->requests()) reads += request.verb == "GET";
    return reads;
  }

  std::promise<void> answer_;
};

TEST_P(JoinedReadsTest, MakeOneRequest) {
  StartWaiting();
  const auto callers = CallTogether(kCallers);

  Answer();

  std::multiset<std::string> sources;
  for (const auto& caller : callers) {
    EXPECT_TRUE(caller->Finish().ok());
    EXPECT_EQ(caller->found().total(), 1);
    EXPECT_EQ(caller->attempts(), "1");
    sources.insert(caller->source());
  }
  EXPECT_EQ(sources.count("miss"), 1U);
  EXPECT_EQ(sources.count("joined"), kCallers - 1U);
  EXPECT_EQ(Reads(), 1U);
}

TEST_P(JoinedReadsTest, TheFirstIsTheOneThatMissed) {
  StartWaiting();
  const auto callers = CallTogether(2);

  Answer();

  EXPECT_TRUE(callers[0]->Finish().ok());
  EXPECT_TRUE(callers[1]->Finish().ok());
  EXPECT_EQ(callers[0]->source(), "miss");
  EXPECT_EQ(callers[1]->source(), "joined");
}

TEST_P(JoinedReadsTest, AreSeparateForOtherTargets) {
  StartWaiting();
  const auto one = Call("one");
  const auto other = Call("other");
  AwaitUpstreamRequests(2);

  Answer();

  EXPECT_TRUE(one->Finish().ok());
  EXPECT_TRUE(other->Finish().ok());
  EXPECT_EQ(one->source(), "miss");
  EXPECT_EQ(other->source(), "miss");
}

TEST_P(JoinedReadsTest, AreSeparateIfTheConfigurationSaysSo) {
  StartWaiting("cache: {join_reads: false}\n");
  std::vector<std::unique_ptr<Caller>> callers;
  for (int i = 0; i < kCallers; ++i) callers.push_back(Call());
  AwaitUpstreamRequests(kCallers);

  Answer();

  for (const auto& caller : callers) {
    EXPECT_TRUE(caller->Finish().ok());
    EXPECT_EQ(caller->source(), "miss");
  }
}

TEST_P(JoinedReadsTest, GoOnWithoutTheOneThatBeganThem) {
  StartWaiting();
  const auto callers = CallTogether(3);

  callers[0]->Cancel();
  EXPECT_EQ(callers[0]->Finish().error_code(), grpc::StatusCode::CANCELLED);
  AwaitJoined();
  Answer();

  EXPECT_TRUE(callers[1]->Finish().ok());
  EXPECT_TRUE(callers[2]->Finish().ok());
  EXPECT_EQ(Reads(), 1U);
}

TEST_P(JoinedReadsTest, GoOnWithoutOneThatHasJoined) {
  StartWaiting();
  const auto callers = CallTogether(3);

  callers[2]->Cancel();
  EXPECT_EQ(callers[2]->Finish().error_code(), grpc::StatusCode::CANCELLED);
  AwaitJoined();
  Answer();

  EXPECT_TRUE(callers[0]->Finish().ok());
  EXPECT_TRUE(callers[1]->Finish().ok());
  EXPECT_EQ(Reads(), 1U);
}

// The machine may be busy with something else: the best of some tries counts.
TEST_P(JoinedReadsTest, AreAbortedAtOnceWhenTheLastOneHasGone) {
  Start(Hanging());
  auto best = milliseconds::max();
  for (int i = 0; i < kTries && best > kAbortLimit; ++i) {
    std::vector<std::unique_ptr<Caller>> callers;
    for (int j = 0; j < 3; ++j) callers.push_back(Call());
    AwaitUpstreamRequests(static_cast<size_t>(i) + 1);
    AwaitJoined();

    for (const auto& caller : callers) {
      EXPECT_EQ(upstream_->hang_ups(), i);
      caller->Cancel();
    }
    const auto left = steady_clock::now();
    ASSERT_TRUE(Eventually([&] { return upstream_->hang_ups() == i + 1; }));

    best = std::min(best, std::chrono::duration_cast<milliseconds>(steady_clock::now() - left));
    EXPECT_EQ(upstream_->requests().size(), static_cast<size_t>(i) + 1);
  }
  EXPECT_LE(best, kAbortLimit);
}

TEST_P(JoinedReadsTest, LeaveOneWithAShortDeadlineBehind) {
  StartWaiting();
  const auto first = Call();
  AwaitUpstreamRequests(1);
  const auto hasty = Call("", milliseconds(500));

  EXPECT_EQ(ReasonOf(hasty->Finish()), "UPSTREAM_TIMEOUT");
  EXPECT_FALSE(first->has_ended());
  Answer();

  EXPECT_TRUE(first->Finish().ok());
  EXPECT_EQ(Reads(), 1U);
}

TEST_P(JoinedReadsTest, GoOnForOneWithALongerDeadlineThanTheFirstOnes) {
  StartWaiting();
  const auto hasty = Call("", milliseconds(500));
  AwaitUpstreamRequests(1);
  const auto patient = Call();

  EXPECT_EQ(ReasonOf(hasty->Finish()), "UPSTREAM_TIMEOUT");
  AwaitJoined();
  EXPECT_FALSE(patient->has_ended());
  Answer();

  EXPECT_TRUE(patient->Finish().ok());
  EXPECT_LE(Reads(), 2U);
}

TEST_P(JoinedReadsTest, ShareWhatTheUpstreamHasFoundWrong) {
  std::promise<void> answer;
  Start([answered = answer.get_future().share()](const auto&) {
    answered.wait();
    return StubServer::Http(404, R"({"error":"no"})");
  });
  const auto callers = CallTogether(3);

  answer.set_value();

  for (const auto& caller : callers) {
    EXPECT_EQ(ReasonOf(caller->Finish()), "UPSTREAM_NOT_FOUND");
    EXPECT_EQ(caller->attempts(), "1");
  }
  EXPECT_EQ(upstream_->requests().size(), 1U);
}

TEST_P(JoinedReadsTest, DoNotTakeInOneThatComesAfterAWrite) {
  StartWaiting();
  const auto before = Call();
  AwaitUpstreamRequests(1);
  grpc::ClientContext context;
  test::Stored stored;
  ASSERT_TRUE(stub_->Store(&context, Complete(), &stored).ok());

  const auto after = Call();
  ASSERT_TRUE(Eventually([&] { return Reads() == 2; }));
  const auto later = Call();
  AwaitJoined();
  Answer();

  EXPECT_TRUE(before->Finish().ok());
  EXPECT_TRUE(after->Finish().ok());
  EXPECT_TRUE(later->Finish().ok());
  EXPECT_EQ(after->source(), "miss");
  EXPECT_EQ(after->found().total(), 2);
  EXPECT_EQ(later->source(), "joined");
  EXPECT_EQ(later->found().total(), 2);
  EXPECT_EQ(Reads(), 2U);
}

TEST_P(JoinedReadsTest, DoNotTakeInOneThatComesAfterAWriteThatFailed) {
  Start(Hanging());
  const auto before = Call();
  AwaitUpstreamRequests(1);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + milliseconds(300));
  test::Stored stored;
  EXPECT_FALSE(stub_->Store(&context, Complete(), &stored).ok());
  const size_t requests = upstream_->requests().size();

  const auto after = Call();

  EXPECT_TRUE(Eventually([&] { return upstream_->requests().size() == requests + 1; }));
}

TEST_P(JoinedReadsTest, AreAnsweredWhileTheGatewayDrains) {
  StartWaiting();
  const auto callers = CallTogether(kCallers);
  Hurry hurry;
  std::thread shutdown(
      [&] { server_->Shutdown({.settle = milliseconds(0), .unary_grace = seconds(60)}, hurry); });

  Answer();

  for (const auto& caller : callers) EXPECT_TRUE(caller->Finish().ok());
  hurry.Now();
  shutdown.join();
}

TEST_P(JoinedReadsTest, AreEndedByADrainWhoseGraceIsOver) {
  Start(Hanging());
  std::vector<std::unique_ptr<Caller>> callers;
  for (int i = 0; i < kCallers; ++i) callers.push_back(Call());
  AwaitUpstreamRequests(1);
  ASSERT_TRUE(Eventually([&] { return server_->running() == kCallers; }));
  AwaitJoined();
  Hurry hurry;

  server_->Shutdown({.settle = milliseconds(0), .unary_grace = milliseconds(50)}, hurry);

  for (const auto& caller : callers) {
    const grpc::Status status = caller->Finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(ReasonOf(status), "GATEWAY_DRAINING");
  }
  EXPECT_TRUE(Eventually([&] { return upstream_->hang_ups() == 1; }));
  EXPECT_EQ(upstream_->requests().size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Shards, JoinedReadsTest, testing::Values(1, 2, 4), ShardsName);

}  // namespace
}  // namespace idv
