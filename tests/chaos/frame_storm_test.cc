// Very many streams of frames at once, into an upstream that reads them slowly.

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "kora/idv/v1/reference_service.grpc.pb.h"
#include "tests/chaos/footprint.h"
#include "tests/chaos/frame_load.h"
#include "tests/chaos/size.h"
#include "tests/e2e/call.h"
#include "tests/e2e/frame_call.h"
#include "tests/e2e/gateway.h"
#include "tests/e2e/sandbox.h"

namespace idv::chaos {
namespace {

using e2e::Client;
using e2e::Connect;
using e2e::Gateway;
using e2e::Json;
using e2e::Sandbox;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

const size_t kStreams = Sized<size_t>(100, 1000);
const int kFrames = Sized(10, 30);
// Of each stream, so that it takes some seconds, or more than a minute.
const int kBytesPerSecond = Sized(200'000, 50'000);
constexpr size_t kFrameBytes = 100'000;
constexpr size_t kConnections = 8;
// After which all buffers are full.
const milliseconds kFilled = Sized<milliseconds>(milliseconds(1000), seconds(5));
const milliseconds kMeasured = Sized<milliseconds>(milliseconds(1000), seconds(5));
constexpr milliseconds kStopped{3000};
const size_t kUnaryCalls = Sized<size_t>(200, 1000);

constexpr size_t kMaxGrowthKib = size_t{256} << 10;

Json Config(const Sandbox& upstream, const Sandbox& health) {
  Json config = e2e::BasicConfig(upstream.base_url());
  config["upstream"]["health_url"] = health.base_url() + "/health";
  config["limits"]["max_in_flight_per_caller"] = 2 * kStreams;
  config["limits"]["max_in_flight_per_tenant"] = 2 * kStreams;
  config["limits"]["max_deadline"] = "300s";
  config["drain"]["stream_grace"] = "1s";
  config["drain"]["unary_grace"] = "1s";
  return config;
}

class FrameStormTest : public testing::Test {
 protected:
  FrameStormTest() {
    for (size_t i = 0; i < kConnections; ++i) {
      channels_.push_back(Connect(gateway_.addresses()[0]));
    }
    for (size_t i = 0; i < kStreams; ++i) {
      ids_.push_back(e2e::CreateWithSession(client_, "test-approve-" + std::to_string(i)));
    }
  }

  // In ms, of calls one after the other, which an upstream of their own answers: the one that takes
  // the frames is busy.
  double UnaryP99() const {
    std::vector<double> took;
    for (size_t i = 0; i < kUnaryCalls; ++i) {
      const auto begin = steady_clock::now();
      const auto reply =
          client_.Call(&kora::idv::v1::ReferenceService::Stub::GetUpstreamHealth, {});
      EXPECT_TRUE(reply.ok());
      took.push_back(
          std::chrono::duration<double, std::milli>(steady_clock::now() - begin).count());
      std::this_thread::sleep_for(milliseconds(5));
    }
    std::sort(took.begin(), took.end());
    return took[took.size() * 99 / 100];
  }

  // Of a processor, in percent.
  double ProcessorUse(milliseconds time) {
    const long before = e2e::CpuTicks(gateway_.process().pid());
    std::this_thread::sleep_for(time);
    const long ticks = e2e::CpuTicks(gateway_.process().pid()) - before;
    return static_cast<double>(ticks) * 10 * 100 / static_cast<double>(time.count());
  }

  size_t ResidentKib() { return StatusKib(gateway_.process().pid(), "VmRSS"); }

  Sandbox sandbox_{{"--attempts-per-day", "0", "--fault",
                    Json{{"kind", "slow_reading"},
                         {"bytes_per_second", kBytesPerSecond},
                         {"endpoint", "POST /verifications/*/liveness/frames"}}
                        .dump()}};
  Sandbox health_sandbox_;
  Gateway gateway_{Config(sandbox_, health_sandbox_)};
  const Client client_{Connect(gateway_.addresses()[0])};
  std::vector<std::shared_ptr<grpc::Channel>> channels_;
  std::vector<std::string> ids_;
};

TEST_F(FrameStormTest, AllEndWellInLittleMemoryAndDisturbNoOtherCall) {
  const double idle_p99 = UnaryP99();
  const size_t before = ResidentKib();
  const auto begin = steady_clock::now();
  FrameLoad load(channels_, ids_,
                 {.frames = kFrames, .frame_bytes = kFrameBytes, .timeout = seconds(280)});
  size_t most = 0;
  std::jthread watcher([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      most = std::max(most, ResidentKib());
      std::this_thread::sleep_for(milliseconds(20));
    }
  });

  std::this_thread::sleep_for(kFilled);
  const double use = ProcessorUse(kMeasured);
  const double p99 = UnaryP99();
  EXPECT_EQ(load.running(), kStreams);
  sandbox_.process().Signal(SIGSTOP);
  std::this_thread::sleep_for(milliseconds(500));
  const double stalled_use = ProcessorUse(kStopped);
  sandbox_.process().Signal(SIGCONT);

  size_t fine = 0;
  std::string failure;
  for (const grpc::Status& status : load.Finish()) {
    fine += status.ok() ? 1 : 0;
    if (!status.ok()) failure = status.error_message();
  }
  watcher.request_stop();
  watcher.join();
  const auto took = std::chrono::duration<double>(steady_clock::now() - begin).count();

  std::cout << fine << " of " << kStreams << " streams of " << kFrames << " frames of "
            << kFrameBytes << " bytes at " << kBytesPerSecond << " bytes/s ended well in " << took
            << " s; resident " << before << " KiB, at most " << most - std::min(most, before)
            << " KiB more; processor: " << use << " % while it flows, " << stalled_use
            << " % while it stands; unary p99 " << idle_p99 << " ms idle, " << p99
            << " ms meanwhile\n";
  EXPECT_EQ(fine, kStreams) << failure;
  if (!kIsInstrumented) {
    EXPECT_LE(most, before + kMaxGrowthKib);
  }
}

}  // namespace
}  // namespace idv::chaos
