// Streams of frames that somebody cuts: what the caller is told, that the upstream sees no whole
// request, and that nothing of them stays behind.

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/chaos/footprint.h"
#include "tests/e2e/attempt.h"
#include "tests/e2e/call.h"
#include "tests/e2e/frame_call.h"
#include "tests/e2e/gateway.h"
#include "tests/e2e/sandbox.h"
#include "tests/e2e/steps.h"
#include "tests/upstream/manual_server.h"

namespace idv::e2e {
namespace {

using grpc::StatusCode;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// What the caller has sent when the cut comes.
enum class Moment {
  kBeforeHeader,  // nothing
  kAfterHeader,   // the header alone
  kMidFrame,   // so much that the upstream, which has stopped reading, has only a part of a frame
  kBeforeEnd,  // some frames, which the upstream has; but it has not closed its side of the call
};

constexpr Moment kMoments[] = {Moment::kBeforeHeader, Moment::kAfterHeader, Moment::kMidFrame,
                               Moment::kBeforeEnd};

std::string NameOf(Moment moment) {
  switch (moment) {
    case Moment::kBeforeHeader:
      return "BeforeHeader";
    case Moment::kAfterHeader:
      return "AfterHeader";
    case Moment::kMidFrame:
      return "MidFrame";
    case Moment::kBeforeEnd:
      return "BeforeEnd";
  }
  return "";
}

constexpr size_t kLargeFrameBytes = size_t{2} << 20;
constexpr size_t kSmallFrameBytes = 1000;
constexpr int kManyFrames = 20;
// Long before the deadline.
constexpr milliseconds kStall{800};
// Longer than it takes to come to any of the moments.
constexpr milliseconds kDeadline{3000};

// Each stream takes up all the memory for uploads and the only place for a call, so that one of
// which anything stays keeps out the next.
Json Config(const std::string& base_url, int shards) {
  Json config = BasicConfig(base_url);
  config["shards"] = shards;
  config["limits"] = {{"max_message", "64KiB"},
                      {"max_image", "64KiB"},
                      {"upload_memory", "128KiB"},
                      {"max_in_flight", 1}};
  config["drain"] = {{"settle", "0s"}, {"unary_grace", "100ms"}, {"stream_grace", "300ms"}};
  return config;
}

class CutTest : public testing::TestWithParam<std::tuple<int, Moment>> {
 protected:
  static int shards() { return std::get<0>(GetParam()); }
  static Moment moment() { return std::get<1>(GetParam()); }

  void Start(const Json& config, int upstream_port) {
    upstream_port_ = upstream_port;
    gateway_.emplace(config, Transparent());
    client_.emplace(Connect(gateway_->addresses()[0]));
  }

  // Sends on a thread of its own, which ends when all is sent or the call has ended.
  void SendFrames(FrameCall& call, int frames, size_t bytes) {
    sender_ = std::jthread([this, &call, frames, bytes] {
      const std::string frame(bytes, 'f');
      for (int i = 0; i < frames && call.SendFrame(frame); ++i) ++sent_;
    });
  }

  // Until the sender has not come further for a while.
  void AwaitStuck() const {
    int seen = -1;
    EXPECT_TRUE(WaitUntil([&] {
      const int before = std::exchange(seen, sent_);
      std::this_thread::sleep_for(milliseconds(100));
      return before == sent_ && sent_ > 0;
    }));
    EXPECT_LT(sent_, kManyFrames);
  }

  // A whole stream, which must not be kept out by what is left of another one.
  virtual Outcome StreamOnce() = 0;

  void ExpectNothingStays() {
    Outcome outcome;
    EXPECT_TRUE(WaitUntil([&] {
      outcome = StreamOnce();
      return outcome.reason() != "GATEWAY_OVERLOADED";
    }));
    EXPECT_TRUE(outcome.ok()) << testing::PrintToString(outcome);
    chaos::Footprint footprint = Now();
    EXPECT_TRUE(WaitUntil([&] {
      footprint = Now();
      return footprint.descriptors <= before_.descriptors &&
             footprint.upstream_connections <= static_cast<size_t>(shards());
    })) << footprint
        << ", before: " << before_;
  }

  chaos::Footprint Now() { return chaos::Footprint::Of(gateway_->process().pid(), upstream_port_); }

  void Remember() { before_ = Now(); }

  int upstream_port_ = 0;
  std::optional<Gateway> gateway_;
  std::optional<Client> client_;
  std::atomic<int> sent_ = 0;
  chaos::Footprint before_;
  std::jthread sender_;  // goes before the call that it sends on; see Join()
};

// Cut on the caller's side, or by the gateway's end.
class CallerCutTest : public CutTest {
 protected:
  CallerCutTest() {
    Start(Config(sandbox_.base_url(), shards()), sandbox_.port());
    id_ = CreateWithSession(*client_, "test-approve-cut");
    path_ = "/verifications/" + id_ + "/liveness/frames";
    EXPECT_TRUE(StreamOnce().ok());
    sandbox_.ForgetRequests();
    Remember();
  }
  ~CallerCutTest() override { sandbox_.process().Signal(SIGCONT); }

  Outcome StreamOnce() final {
    FrameCall call(*client_);
    call.SendHeader(id_);
    call.SendFrame("one");
    call.Close();
    return call.Finish();
  }

  void AwaitRequest() {
    EXPECT_TRUE(WaitUntil([&] { return !sandbox_.Requests(path_).empty(); }));
  }

  // Brings a call to the moment.
  void Begin(FrameCall& call) {
    if (moment() == Moment::kBeforeHeader) return;
    if (moment() == Moment::kMidFrame) sandbox_.process().Signal(SIGSTOP);
    EXPECT_TRUE(call.SendHeader(id_));
    if (moment() == Moment::kMidFrame) {
      SendFrames(call, kManyFrames, kLargeFrameBytes);
      AwaitStuck();
      return;
    }
    AwaitRequest();
    if (moment() == Moment::kBeforeEnd) {
      for (int i = 0; i < 3; ++i) EXPECT_TRUE(call.SendFrame(std::string(kSmallFrameBytes, 'f')));
      EXPECT_TRUE(WaitUntil(
          [&] { return sandbox_.Requests(path_).front()["body_bytes"] > 3 * kSmallFrameBytes; }));
    }
  }

  // What has come of it at the upstream.
  void ExpectNoWholeRequest() {
    sandbox_.process().Signal(SIGCONT);
    if (moment() == Moment::kBeforeHeader) {
      EXPECT_TRUE(sandbox_.Requests(path_).empty());
      return;
    }
    const Json request = sandbox_.AwaitRequest(path_, "aborted");
    EXPECT_FALSE(request.value("body_complete", true)) << request;
  }

  Sandbox sandbox_{{"--attempts-per-day", "0"}};
  std::string id_;
  std::string path_;
};

TEST_P(CallerCutTest, ByACancel) {
  FrameCall call(*client_);
  Begin(call);

  call.Cancel();

  EXPECT_EQ(call.Finish().status.error_code(), StatusCode::CANCELLED);
  sender_ = {};
  ExpectNoWholeRequest();
  ExpectNothingStays();
}

TEST_P(CallerCutTest, ByTheDeathOfTheCaller) {
  const bool is_stuck = moment() == Moment::kMidFrame;
  if (is_stuck) sandbox_.process().Signal(SIGSTOP);
  const int frames = is_stuck ? kManyFrames : moment() == Moment::kBeforeEnd ? 3 : 0;
  std::unique_ptr<Process> caller =
      RunFrameClient(gateway_->addresses()[0], moment() == Moment::kBeforeHeader ? "" : id_, frames,
                     is_stuck ? kLargeFrameBytes : kSmallFrameBytes);
  if (is_stuck) {
    std::this_thread::sleep_for(milliseconds(400));
    EXPECT_EQ(caller->Out(), "");
  } else {
    EXPECT_EQ(caller->OutLines(1).size(), 1U);
    if (moment() != Moment::kBeforeHeader) AwaitRequest();
  }

  caller.reset();  // by SIGKILL

  ExpectNoWholeRequest();
  ExpectNothingStays();
}

TEST_P(CallerCutTest, ByTheDeadline) {
  const bool stalls = moment() == Moment::kMidFrame;
  FrameCall call(*client_, {.timeout = kDeadline});
  Begin(call);

  const auto reply = call.Finish();

  EXPECT_EQ(reply.status.error_code(), StatusCode::DEADLINE_EXCEEDED);
  // The caller's own clock may be ahead by a hair.
  if (reply.has_details) {
    EXPECT_EQ(reply.reason(), stalls ? "UPSTREAM_TIMEOUT" : "STREAM_IDLE");
  }
  sender_ = {};
  ExpectNoWholeRequest();
  ExpectNothingStays();
}

TEST_P(CallerCutTest, ByTheEndOfTheGateway) {
  FrameCall call(*client_);
  Begin(call);

  gateway_->process().Signal(SIGTERM);

  const auto reply = call.Finish();
  EXPECT_EQ(reply.status.error_code(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(reply.reason(), "GATEWAY_DRAINING") << testing::PrintToString<Outcome>(reply);
  sender_ = {};
  ExpectNoWholeRequest();
  client_.reset();
  EXPECT_EQ(gateway_->process().Wait(), 0);
}

// A stream has more time to end than another call.
TEST_P(CallerCutTest, NotByTheEndOfTheGatewayWithinItsGrace) {
  if (moment() == Moment::kBeforeHeader) return;  // it would need all of the grace
  FrameCall call(*client_);
  EXPECT_TRUE(call.SendHeader(id_));
  AwaitRequest();

  gateway_->process().Signal(SIGTERM);
  std::this_thread::sleep_for(milliseconds(150));  // longer than unary_grace
  call.SendFrame("one");
  call.Close();

  const auto reply = call.Finish();
  EXPECT_TRUE(reply.ok()) << testing::PrintToString<Outcome>(reply);
}

// gRPC may tell of a cancel later than that no frame comes any more.
class ManyCutTest : public testing::TestWithParam<int> {
 protected:
  static constexpr size_t kCalls = 50;
  static constexpr int kRounds = 8;

  static Json Config(const Sandbox& sandbox) {
    Json config = BasicConfig(sandbox.base_url());
    config["shards"] = GetParam();
    return config;
  }

  size_t Seen() { return sandbox_.Requests(path_).size(); }

  Sandbox sandbox_{{"--attempts-per-day", "0"}};
  const Gateway gateway_{Config(sandbox_)};
  const Client client_{Connect(gateway_.addresses()[0])};
  const std::string id_ = CreateWithSession(client_, "test-approve-cut");
  const std::string path_ = "/verifications/" + id_ + "/liveness/frames";
};

TEST_P(ManyCutTest, NoCancelIsTakenForTheEnd) {
  for (int round = 0; round < kRounds; ++round) {
    sandbox_.ForgetRequests();
    std::vector<std::unique_ptr<FrameCall>> calls;
    for (size_t i = 0; i < kCalls; ++i) {
      calls.push_back(std::make_unique<FrameCall>(client_));
      EXPECT_TRUE(calls.back()->SendHeader(id_));
      EXPECT_TRUE(calls.back()->SendFrame("one"));
    }
    EXPECT_TRUE(WaitUntil([&] { return Seen() == kCalls; }));

    for (const auto& call : calls) call->Cancel();

    for (const auto& call : calls) {
      EXPECT_EQ(call->Finish().status.error_code(), StatusCode::CANCELLED);
    }
    Json requests;
    const auto are_over = [&] {
      requests = sandbox_.Requests(path_);
      return std::none_of(requests.begin(), requests.end(),
                          [](const Json& request) { return request["outcome"] == "pending"; });
    };
    EXPECT_TRUE(WaitUntil(are_over));
    for (const Json& request : requests) {
      ASSERT_FALSE(request.value("body_complete", true)) << request;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shards, ManyCutTest, testing::Values(1, 4));

// Cut on the upstream's side.
class UpstreamCutTest : public CutTest {
 protected:
  UpstreamCutTest() {
    Json config = Config(upstream_.url() + "/api/v1/idv", shards());
    config["limits"]["upstream_stall"] = absl::StrCat(kStall.count(), "ms");
    // The caller's own deadline is much longer, so that it is the gateway that ends the call.
    config["limits"]["default_deadline"] = absl::StrCat(kDeadline.count(), "ms");
    config["limits"]["max_deadline"] = absl::StrCat(kDeadline.count(), "ms");
    Start(config, std::stoi(upstream_.url().substr(17)));
    EXPECT_TRUE(StreamOnce().ok());
    Remember();
  }

  Outcome StreamOnce() final {
    FrameCall call(*client_);
    call.SendHeader("x");
    call.SendFrame("one");
    call.Close();
    const auto exchange = upstream_.Next("", milliseconds(10'000));
    if (exchange == nullptr) return call.Finish();
    exchange->Answer("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}");
    Outcome outcome = call.Finish();
    exchange->HangUp();  // what it has not read is no next request
    return outcome;
  }

  // Brings a call to the moment, at which the upstream has its header, but has read no body.
  std::unique_ptr<ManualServer::Exchange> Begin(FrameCall& call) {
    EXPECT_TRUE(call.SendHeader("x"));
    auto exchange = upstream_.Next("", milliseconds(10'000));
    EXPECT_NE(exchange, nullptr);
    if (moment() == Moment::kMidFrame) {
      SendFrames(call, kManyFrames, kLargeFrameBytes);
      AwaitStuck();
    }
    if (moment() == Moment::kBeforeEnd) {
      for (int i = 0; i < 3; ++i) EXPECT_TRUE(call.SendFrame(std::string(kSmallFrameBytes, 'f')));
    }
    return exchange;
  }

  void ExpectTold(FrameCall& call, const Told& told) {
    const auto reply = call.Finish();
    EXPECT_EQ(reply.status.error_code(), told.code) << testing::PrintToString<Outcome>(reply);
    EXPECT_EQ(reply.reason(), told.reason);
    EXPECT_EQ(reply.info.metadata().at("blame"), told.blame);
    EXPECT_EQ(reply.Trailer("x-idv-attempts"), "1");
    sender_ = {};
  }

  ManualServer upstream_{ManualServer::HandOver::kHead};
};

TEST_P(UpstreamCutTest, ByAReset) {
  FrameCall call(*client_);
  auto exchange = Begin(call);

  exchange->HangUp();

  ExpectTold(call, kLost);
  exchange.reset();
  ExpectNothingStays();
}

TEST_P(UpstreamCutTest, ByAnEarlyAnswer) {
  FrameCall call(*client_);
  auto exchange = Begin(call);

  exchange->Answer(ManualServer::Http(413, R"({"error":"too much"})"));

  ExpectTold(call, {StatusCode::INVALID_ARGUMENT, "UPSTREAM_PAYLOAD_TOO_LARGE", "caller"});
  exchange->HangUp();
  exchange.reset();
  ExpectNothingStays();
}

TEST_P(UpstreamCutTest, ByAStall) {
  FrameCall call(*client_);
  auto exchange = Begin(call);
  if (moment() != Moment::kMidFrame) {
    // Only who waits for something notices.
    call.SendFrame("last");
    call.Close();
  }
  const auto begin = steady_clock::now();

  ExpectTold(call, kTimedOut);

  if (moment() == Moment::kMidFrame) {
    EXPECT_LT(steady_clock::now() - begin, kDeadline);
  }
  exchange->HangUp();
  exchange.reset();
  ExpectNothingStays();
}

std::string ParameterName(const testing::TestParamInfo<std::tuple<int, Moment>>& info) {
  return absl::StrCat("On", std::get<0>(info.param), NameOf(std::get<1>(info.param)));
}

INSTANTIATE_TEST_SUITE_P(Shards, CallerCutTest,
                         testing::Combine(testing::Values(1, 4), testing::ValuesIn(kMoments)),
                         ParameterName);
INSTANTIATE_TEST_SUITE_P(Shards, UpstreamCutTest,
                         testing::Combine(testing::Values(1, 4), testing::ValuesIn(kMoments)),
                         ParameterName);

}  // namespace
}  // namespace idv::e2e
