#include "gateway/shard.h"

#include <grpcpp/grpcpp.h>
#include <pthread.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/upstream/probe.pb.h"
#include "tests/upstream/stub_server.h"

namespace idv {
namespace {

using std::chrono::milliseconds;

Route FindRoute() {
  return *Route::Compile(*idv::test::FindRequest::descriptor()
                              ->file()
                              ->FindServiceByName("ProbeService")
                              ->FindMethodByName("Find"));
}

// The engine room by itself: shards with real completion queues and real sockets, without a
// server's calls.
class ShardTest : public testing::TestWithParam<int> {
 protected:
  void Start(const std::string& upstream_url) {
    grpc::ServerBuilder builder;
    for (int i = 0; i < GetParam(); ++i) {
      shards_.push_back(std::make_unique<Shard>(
          builder.AddCompletionQueue(), watcher_, Upstream::Options{.base_url = upstream_url},
          Upstream::Reports{.drift = [](const auto&, const auto&) {}, .request = {}}));
    }
    server_ = builder.BuildAndStart();
    for (const auto& shard : shards_) {
      threads_.emplace_back([&shard = *shard] { shard.Run(); });
    }
  }

  ~ShardTest() override {
    server_->Shutdown(std::chrono::system_clock::now());
    for (const auto& shard : shards_) shard->Stop();
    for (std::thread& thread : threads_) thread.join();
  }

  static Task<> Call(Shard& shard, const Route& route, std::atomic<int>& good,
                     std::atomic<int>& ended) {
    const Shard::Presence presence(shard);
    Cancellation cancellation;
    CallReport report;
    absl::StatusOr<RestRequest> request = route.Encode(idv::test::FindRequest());
    std::string bytes;
    const absl::Status status = co_await shard.upstream().Call(
        route, *std::move(request), nullptr, Clock::now() + std::chrono::seconds(60), cancellation,
        bytes, report);
    idv::test::Found found;
    if (status.ok() && found.ParseFromString(bytes) && found.total() == 3) ++good;
    ++ended;
  }

  Watcher watcher_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::unique_ptr<grpc::Server> server_;
  std::vector<std::thread> threads_;
};

TEST_P(ShardTest, RunsCallsToTheUpstreamOnEveryShardAtOnce) {
  StubServer upstream([](const auto&) { return StubServer::Http(200, R"({"total":3})"); });
  Start(upstream.url());
  const Route route = FindRoute();
  std::atomic<int> good = 0;
  std::atomic<int> ended = 0;
  constexpr int kCalls = 500;

  for (int i = 0; i < kCalls; ++i) {
    Shard& shard = *shards_[static_cast<size_t>(i % GetParam())];
    shard.loop().Post([&] { Spawn(Call(shard, route, good, ended)); });
    // Some one after the other, so that shards park in between, and some at once.
    if (i % 10 == 0) {
      while (ended <= i) std::this_thread::yield();
    }
  }
  while (ended < kCalls) std::this_thread::yield();

  EXPECT_EQ(good, kCalls);
}

TEST_P(ShardTest, LosesNoWakeUp) {
  StubServer upstream([](const auto&) { return StubServer::Http(200, ""); });
  Start(upstream.url());
  constexpr int kRounds = 5'000;
  std::atomic<int> done = 0;

  for (int round = 1; round <= kRounds; ++round) {
    for (const auto& shard : shards_) shard->loop().Post([&done] { ++done; });
    while (done < round * GetParam()) std::this_thread::yield();
  }

  EXPECT_EQ(done, kRounds * GetParam());
}

TEST_P(ShardTest, UsesNoProcessorTimeWhenIdleWithAKeptConnection) {
  StubServer upstream([](const auto&) { return StubServer::Http(200, R"({"total":3})"); });
  Start(upstream.url());
  const Route route = FindRoute();
  std::atomic<int> good = 0;
  std::atomic<int> ended = 0;
  for (const auto& shard : shards_) {
    shard->loop().Post([&, &one = *shard] { Spawn(Call(one, route, good, ended)); });
  }
  while (ended < GetParam()) std::this_thread::yield();
  const auto processor_time = [this] {
    std::chrono::nanoseconds sum{};
    for (std::thread& thread : threads_) {
      clockid_t clock{};
      pthread_getcpuclockid(thread.native_handle(), &clock);
      timespec time{};
      clock_gettime(clock, &time);
      sum += std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
    }
    return sum;
  };
  const auto before = processor_time();

  std::this_thread::sleep_for(milliseconds(500));

  EXPECT_LT(processor_time() - before, milliseconds(5));
}

INSTANTIATE_TEST_SUITE_P(Shards, ShardTest, testing::Values(1, 2, 4), [](const auto& instance) {
  return "On" + std::to_string(instance.param);
});

}  // namespace
}  // namespace idv
