// HTTP/2 as a proxy in front of the upstream speaks it.

#include <gmock/gmock.h>

#include <chrono>
#include <csignal>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "kora/idv/v1/document_service.grpc.pb.h"
#include "tests/chaos/footprint.h"
#include "tests/e2e/attempt.h"
#include "tests/e2e/frame_call.h"
#include "tests/e2e/gateway.h"
#include "tests/e2e/sandbox.h"
#include "tests/e2e/slack.h"
#include "tests/upstream/nghttpx.h"

namespace idv::e2e {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPatience{5000};
// Long before the patience is over, however busy the machine is.
constexpr milliseconds kAtOnce{500};

class UpstreamNghttpxTest : public testing::Test {
 protected:
  static Json Config(const std::string& url, const TestCertificates& certificates) {
    Json config = BasicConfig(url + "/api/v1/idv");
    config["upstream"]["ca_file"] = certificates.ca_file();
    return config;
  }

  Attempt Get() const { return TryGet(client_, kPatience); }
  Attempt Post() const { return TryPost(client_, kPatience); }
  void ExpectEndsAtOnce(const Attempt& attempt, const Told& told) const {
    ExpectTold(attempt, told);
    EXPECT_LT(attempt.took, kAtOnce);
  }

  // A GET that takes a while, and is on its way already.
  std::future<Attempt> StartSlowGet() const {
    sandbox_->AddFault({{"kind", "latency"}, {"milliseconds", 1500}, {"method", "GET"}});
    std::future<Attempt> slow = std::async(std::launch::async, [this] { return Get(); });
    sandbox_->AwaitRequest("/alerts", "pending");
    return slow;
  }

  size_t Connections() {
    return chaos::Footprint::Of(gateway_.process().pid(), port_).upstream_connections;
  }

  std::optional<Sandbox> sandbox_{std::in_place};
  const TestCertificates certificates_;
  std::optional<Nghttpx> proxy_{std::in_place, certificates_, sandbox_->port()};
  const int port_ = proxy_->port();
  Gateway gateway_{Config(proxy_->url(), certificates_), Transparent()};
  const Client client_{Connect(gateway_.addresses()[0])};
};

TEST_F(UpstreamNghttpxTest, AStreamThatIsResetIsLostAndTheOthersAreNot) {
  std::future<Attempt> slow = StartSlowGet();
  sandbox_->AddFault({{"kind", "reset"}, {"at", "during_answer"}, {"method", "POST"}});

  ExpectEndsAtOnce(Post(), kLost);

  ExpectTold(slow.get(), kFine);
  EXPECT_EQ(sandbox_->Requests("/verifications").size(), 1U);
  const Json headers = sandbox_->Requests("/verifications")[0]["headers"];
  EXPECT_EQ(headers.value("via", ""), "2 nghttpx") << "no HTTP/2";
}

TEST_F(UpstreamNghttpxTest, ConnectionsBehindTheProxyThatBreakAreTheUpstreamsUnavailability) {
  for (const char* const kind : {"reset", "close"}) {
    sandbox_->AddFault({{"kind", kind}, {"at", "before_answer"}});
    sandbox_->ForgetRequests();

    ExpectEndsAtOnce(Post(), kUnavailable);
    ExpectEndsAtOnce(Get(), kUnavailable);

    EXPECT_EQ(sandbox_->Requests("/verifications").size(), 1U);
    sandbox_->ClearFaults();
    ExpectTold(Post(), kFine);
  }
}

TEST_F(UpstreamNghttpxTest, AnUpstreamThatIsDownBehindTheProxyIsUnavailable) {
  const int backend_port = sandbox_->port();
  ExpectTold(Post(), kFine);

  sandbox_.reset();
  // The proxy answers 502 or 503, or resets the stream when a connection that it kept breaks.
  for (const Attempt& attempt : {Get(), Post()}) {
    const bool is_reset = attempt.reason() == kLost.reason;
    ExpectEndsAtOnce(attempt, is_reset ? kLost : kUnavailable);
  }
  sandbox_.emplace(std::vector<std::string>{}, backend_port);

  // The proxy, too, has to notice.
  EXPECT_TRUE(WaitUntil([&] { return Post().ok(); }));
}

TEST_F(UpstreamNghttpxTest, AnAnswerWithoutEndIsCutOffAtTheCap) {
  ExpectTold(Get(), kFine);
  const pid_t pid = gateway_.process().pid();
  const size_t before = chaos::StatusKib(pid, "VmHWM");
  sandbox_->AddFault({{"kind", "endless"}});

  ExpectTold(Get(), kTooLarge);
  ExpectTold(Post(), kTooLarge);

  EXPECT_LE(chaos::StatusKib(pid, "VmHWM") - before, kWholeAnswerKib + kSlackKib);
  sandbox_->ClearFaults();
  ExpectTold(Get(), kFine);
}

TEST_F(UpstreamNghttpxTest, AGoawayLetsCallsUnderWayEndAndSendsNewOnesElsewhere) {
  std::future<Attempt> slow = StartSlowGet();
  EXPECT_EQ(Connections(), 1U);

  // It says GOAWAY to all, and serves new connections by a new process.
  kill(proxy_->pid(), SIGHUP);
  EXPECT_TRUE(WaitUntil([&] {
    ExpectTold(Post(), kFine);
    return Connections() == 2;
  }));

  ExpectTold(slow.get(), kFine);
  ExpectTold(Post(), kFine);
  EXPECT_EQ(sandbox_->Requests("/alerts").size(), 1U);
}

TEST_F(UpstreamNghttpxTest, ARestartOfTheProxyCostsNoCallThatComesAfterIt) {
  ExpectTold(Post(), kFine);
  sandbox_->ForgetRequests();

  proxy_.reset();
  ExpectEndsAtOnce(Post(), kLost);
  ExpectEndsAtOnce(Get(), kLost);
  proxy_.emplace(certificates_, sandbox_->port(), port_);

  ExpectTold(Post(), kFine);
  ExpectTold(Get(), kFine);
  EXPECT_EQ(sandbox_->Requests("/verifications").size(), 1U);
}

TEST_F(UpstreamNghttpxTest, CallsUnderWayWhenTheProxyDiesAreLostAtOnceAndNotRepeated) {
  sandbox_->AddFault({{"kind", "hang"}});
  std::future<Attempt> post = std::async(std::launch::async, [this] { return Post(); });
  sandbox_->AwaitRequest("/verifications", "pending");

  proxy_.reset();

  ExpectEndsAtOnce(post.get(), kLost);
  EXPECT_EQ(sandbox_->Requests("/verifications").size(), 1U);
}

// libcurl 7.88 uses up a processor while an HTTP/2 window is closed.
class StalledUploadTest : public UpstreamNghttpxTest {
 protected:
  StalledUploadTest() {
    sandbox_->AddFault({{"kind", "slow_reading"}, {"bytes_per_second", 1000}});
  }

  // What the gateway uses of a processor for a while from now on, in percent.
  double ProcessorUse() {
    constexpr milliseconds kTime{2000};
    const long before = CpuTicks(gateway_.process().pid());
    std::this_thread::sleep_for(kTime);
    const long ticks = CpuTicks(gateway_.process().pid()) - before;
    return static_cast<double>(ticks * 1000) / static_cast<double>(kTime.count());
  }

  void AwaitBegin() const {
    EXPECT_TRUE(WaitUntil([&] { return !sandbox_->Requests("/verifications/x").empty(); }));
    std::this_thread::sleep_for(milliseconds(500));  // until all windows and sockets are full
  }

  // More than the kernel holds of what the proxy sends.
  static constexpr size_t kPictureBytes = 6'000'000;
  static constexpr size_t kFrameBytes = 1'000'000;
};

constexpr double kMostPercent = 10;

TEST_F(StalledUploadTest, OfAMessageUsesNoProcessorTime) {
  kora::idv::v1::UploadDocumentRequest request;
  request.set_verification_id("x");
  request.set_document_type("international_passport");
  request.set_image(std::string(kPictureBytes, 'p'));
  std::future<Outcome> upload = std::async(std::launch::async, [&]() -> Outcome {
    return client_.Call(&kora::idv::v1::DocumentService::Stub::UploadDocument, request,
                        {.timeout = kPatience});
  });
  AwaitBegin();

  EXPECT_LT(ProcessorUse(), kMostPercent);

  EXPECT_EQ(upload.get().status.error_code(), kTimedOut.code);
}

TEST_F(StalledUploadTest, OfFramesUsesNoProcessorTime) {
  FrameCall call(client_, {.timeout = kPatience});
  call.SendHeader("x");
  std::thread sender([&] {
    while (call.SendFrame(std::string(kFrameBytes, 'p'))) {
    }
  });
  AwaitBegin();

  EXPECT_LT(ProcessorUse(), kMostPercent);

  call.Cancel();
  sender.join();
  EXPECT_EQ(call.Finish().status.error_code(), grpc::StatusCode::CANCELLED);
}

}  // namespace
}  // namespace idv::e2e
