#include "gateway/queue_parker.h"

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/rounds.h"
#include "tests/upstream/loop/prodders.h"
#include "tests/upstream/loop/socket_pair.h"
#include "upstream/loop/loop.h"

// Loops parked in real completion queues against other threads, as often as it takes for every
// order to occur.
namespace idv {
namespace {

// Counts how often a loop parks.
class CountingParker final : public Parker {
 public:
  explicit CountingParker(grpc::CompletionQueue& queue) : parker_(queue) {}

  Result Poll() override { return parker_.Poll(); }
  Result Park(TimePoint until) override {
    ++parked_;
    return parker_.Park(until);
  }
  void Wake() override { parker_.Wake(); }

  int parked() const { return parked_; }

 private:
  QueueParker parker_;
  std::atomic<int> parked_ = 0;
};

// A loop on a completion queue, with a thread of its own.
class QueueLoop {
 public:
  QueueLoop(std::unique_ptr<grpc::CompletionQueue> queue, Watcher& watcher)
      : queue_(std::move(queue)), parker_(*queue_), loop_(parker_, watcher) {}
  ~QueueLoop() { Stop(); }
  QueueLoop(const QueueLoop&) = delete;
  QueueLoop& operator=(const QueueLoop&) = delete;

  void Start() {
    thread_ = std::thread([this] { loop_.Run(); });
  }

  // As a shard ends.
  void Stop() {
    if (!thread_.joinable()) return;
    loop_.Post([this] {
      loop_.Close();
      queue_->Shutdown();
    });
    thread_.join();
  }

  grpc::CompletionQueue& queue() { return *queue_; }
  CountingParker& parker() { return parker_; }
  Loop& loop() { return loop_; }

 private:
  const std::unique_ptr<grpc::CompletionQueue> queue_;
  CountingParker parker_;
  Loop loop_;
  std::thread thread_;
};

// As many loops as the parameter says, on the queues of one server: they share what gRPC polls.
class QueueParkerRaceTest : public testing::TestWithParam<int> {
 protected:
  QueueParkerRaceTest() {
    grpc::ServerBuilder builder;
    for (int i = 0; i < GetParam(); ++i) {
      loops_.push_back(std::make_unique<QueueLoop>(builder.AddCompletionQueue(), watcher_));
    }
    server_ = builder.BuildAndStart();
  }
  ~QueueParkerRaceTest() override {
    server_->Shutdown();
    for (const auto& loop : loops_) loop->Stop();
    server_.reset();
  }

  void Start() {
    for (const auto& loop : loops_) loop->Start();
  }

  Prodders::Prod PostTo(QueueLoop& loop) {
    return [&] { loop.loop().Post([this] { prodders_.Arrive(); }); };
  }

  // Whether the loops have parked so often, all together.
  std::function<bool()> HaveParked(int times) {
    return [this, times] {
      int sum = 0;
      for (const auto& loop : loops_) sum += loop->parker().parked();
      return sum >= times;
    };
  }

  Prodders prodders_;
  Watcher watcher_;
  std::vector<std::unique_ptr<QueueLoop>> loops_;
  std::unique_ptr<grpc::Server> server_;
};

TEST_P(QueueParkerRaceTest, LosesNoWakeUpOfAMillionPosts) {
  std::vector<Prodders::Prod> prods;
  for (const auto& loop : loops_) prods.push_back(PostTo(*loop));
  Start();

  EXPECT_TRUE(prodders_.Run(prods, HaveParked(Rounds(20'000, 1'000'000))));
}

TEST_P(QueueParkerRaceTest, LosesNoWakeUpOfPostsOfManyThreads) {
  std::vector<Prodders::Prod> prods;
  for (const auto& loop : loops_) {
    for (int i = 0; i < 2; ++i) prods.push_back(PostTo(*loop));
  }
  Start();

  EXPECT_TRUE(prodders_.Run(prods, HaveParked(Rounds(20'000, 500'000))));
}

TEST_P(QueueParkerRaceTest, LosesNoWakeUpOfDescriptorsAndPosts) {
  const SocketPair sockets;
  QueueLoop& with_descriptor = *loops_.front();
  with_descriptor.loop().SetFdHandler([this](int fd, uint32_t) {
    if (SocketPair::Read(fd) > 0) prodders_.Arrive();
  });
  with_descriptor.loop().WatchFd(sockets.fds[0], EPOLLIN);
  std::vector<Prodders::Prod> prods = {[&] { sockets.Write(); }};
  for (const auto& loop : loops_) prods.push_back(PostTo(*loop));
  Start();

  EXPECT_TRUE(prodders_.Run(prods, HaveParked(Rounds(20'000, 300'000))));
}

INSTANTIATE_TEST_SUITE_P(Loops, QueueParkerRaceTest, testing::Values(1, 2, 4),
                         [](const auto& instance) {
                           return "On" + std::to_string(instance.param);
                         });

// A wake-up of a queue that is shut down ends the process.
TEST(QueueParkerClosingTest, IsNotWokenOnceItsLoopHasClosed) {
  Watcher watcher;
  int rounds_with_late_posts = 0;
  for (int round = 0; round < Rounds(150, 2'000); ++round) {
    const SocketPair sockets;
    QueueLoop loop(std::make_unique<grpc::CompletionQueue>(), watcher);
    loop.loop().SetFdHandler([](int fd, uint32_t) { SocketPair::Read(fd); });
    loop.loop().WatchFd(sockets.fds[0], EPOLLIN);
    loop.Start();
    std::atomic<int> started = 0;
    std::atomic<int> taken = 0;
    std::atomic<int> ran = 0;
    std::thread poster([&] {
      ++started;
      while (loop.loop().Post([&ran] { ++ran; })) {
        ++taken;
        std::this_thread::yield();
      }
    });
    std::atomic<bool> stopped = false;
    std::thread writer([&] {
      ++started;
      for (; !stopped; std::this_thread::yield()) sockets.Write();
    });
    while (started < 2) std::this_thread::yield();
    const int before = taken;

    loop.Stop();

    stopped = true;
    poster.join();
    writer.join();
    ASSERT_EQ(ran, taken);
    rounds_with_late_posts += static_cast<int>(taken > before);
  }
  EXPECT_GT(rounds_with_late_posts, 0);
}

}  // namespace
}  // namespace idv
