#include "gateway/pulse.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "gateway/queue_parker.h"
#include "tests/eventually.h"

namespace idv {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

// A loop over a real completion queue.
class PulseTest : public testing::Test {
 protected:
  void Run() {
    thread_ = std::thread([this] { loop_.Run(); });
  }
  ~PulseTest() override {
    if (!thread_.joinable()) Run();
    loop_.Post([this] {
      loop_.Close();
      queue_.Shutdown();
    });
    thread_.join();
  }

  grpc::CompletionQueue queue_;
  Watcher watcher_;
  QueueParker parker_{queue_};
  Loop loop_{parker_, watcher_};
  std::thread thread_;
};

TEST_F(PulseTest, KnowsThatALoopAnswers) {
  Run();
  const auto begin = system_clock::now();
  const Pulse pulse({&loop_}, [] {});
  ASSERT_TRUE(Eventually(
      [&] { return pulse.beats()[0].answered_at > begin && pulse.beats()[0].lag.count() > 0; }));

  EXPECT_FALSE(pulse.beats()[0].is_stalled());
}

TEST_F(PulseTest, KnowsForHowLongALoopHasNotAnswered) {
  const Pulse pulse({&loop_}, [] {});
  const auto last = pulse.beats()[0].answered_at;
  ASSERT_TRUE(Eventually([&] { return pulse.beats()[0].lag > milliseconds(100); }));
  EXPECT_EQ(pulse.beats()[0].answered_at, last);

  Run();
  ASSERT_TRUE(Eventually([&] { return pulse.beats()[0].answered_at > last; }));

  // How late that answer was.
  EXPECT_GT(pulse.beats()[0].lag, milliseconds(100));
}

TEST_F(PulseTest, TellsStalledLoopsByTheirLag) {
  Pulse::Beat beat;
  beat.lag = Pulse::kStalledAfter - milliseconds(1);
  EXPECT_FALSE(beat.is_stalled());
  beat.lag = Pulse::kStalledAfter;
  EXPECT_TRUE(beat.is_stalled());
}

TEST_F(PulseTest, TicksAtOnceAndOnceASecond) {
  Run();
  std::atomic<int> ticks = 0;
  const auto begin = system_clock::now();
  const Pulse pulse({&loop_}, [&] { ++ticks; });
  ASSERT_TRUE(Eventually([&] { return ticks == 2; }));

  EXPECT_GE(system_clock::now() - begin, milliseconds(900));
}

TEST_F(PulseTest, GoesThoughALoopDoesNotAnswer) {
  const Pulse pulse({&loop_}, [] {});
  ASSERT_TRUE(Eventually([&] { return pulse.beats()[0].lag > milliseconds(1); }));
}

}  // namespace
}  // namespace idv
