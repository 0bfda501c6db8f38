#include "upstream/loop/loop.h"

#include <pthread.h>

#include <array>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "tests/eventually.h"
#include "tests/upstream/loop/running_loop.h"
#include "tests/upstream/loop/socket_pair.h"

namespace idv {
namespace {

using std::chrono::milliseconds;

std::chrono::nanoseconds ProcessorTimeOf(std::thread& thread) {
  clockid_t clock{};
  pthread_getcpuclockid(thread.native_handle(), &clock);
  timespec time{};
  clock_gettime(clock, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// Reads what comes on `fd` and counts it.
void CountBytes(Loop& loop, int fd, std::atomic<int>& bytes) {
  loop.SetFdHandler([&bytes](int ready, uint32_t) { bytes += SocketPair::Read(ready); });
  loop.WatchFd(fd, EPOLLIN);
}

TEST(LoopTest, RunsPostedWorkOnItsOwnThread) {
  RunningLoop running;

  const std::thread::id there = running.Do([] { return std::this_thread::get_id(); });

  EXPECT_EQ(there, running.thread().get_id());
}

TEST(LoopTest, WakesFromItsParkForADescriptor) {
  SocketPair sockets;
  std::atomic<int> bytes = 0;
  RunningLoop running;
  const int parked = running.parker().parked();
  running.Do([&] { CountBytes(running.loop(), sockets.fds[0], bytes); });
  ASSERT_TRUE(Eventually([&] { return running.parker().parked() > parked; }));

  sockets.Write();

  EXPECT_TRUE(Eventually([&] { return bytes == 1; }));
}

TEST(LoopTest, FiresTimersWhileParked) {
  RunningLoop running;
  std::promise<TimePoint> fired;
  auto timer = running.Do([&] {
    return std::make_unique<Timer>(running.loop().timers(), [&] { fired.set_value(Clock::now()); });
  });
  const TimePoint due = Clock::now() + milliseconds(30);

  running.Do([&] { timer->Set(due); });

  EXPECT_GE(fired.get_future().get(), due);
  running.Do([&] { timer.reset(); });
}

TEST(LoopTest, UsesNoProcessorTimeWhenIdle) {
  SocketPair sockets;
  std::atomic<int> bytes = 0;
  RunningLoop running;
  running.Do([&] { CountBytes(running.loop(), sockets.fds[0], bytes); });
  const auto before = ProcessorTimeOf(running.thread());

  std::this_thread::sleep_for(milliseconds(500));

  EXPECT_LT(ProcessorTimeOf(running.thread()) - before, milliseconds(5));
}

TEST(LoopTest, StopsReportingADescriptorThatIsNoLongerWatched) {
  SocketPair sockets;
  std::atomic<int> bytes = 0;
  RunningLoop running;
  running.Do([&] { CountBytes(running.loop(), sockets.fds[0], bytes); });
  running.Do([&] { running.loop().UnwatchFd(sockets.fds[0]); });

  sockets.Write();
  running.Do([] {});
  running.Do([] {});

  EXPECT_EQ(bytes, 0);
}

TEST(LoopTest, DoesNotReportADescriptorThatAHandlerOfTheSameTurnUnwatched) {
  const std::array<SocketPair, 2> sockets;
  for (const SocketPair& pair : sockets) pair.Write();
  std::vector<int> reported;
  RunningLoop running;

  running.Do([&] {
    running.loop().SetFdHandler([&](int fd, uint32_t) {
      reported.push_back(fd);
      for (const SocketPair& pair : sockets) running.loop().UnwatchFd(pair.fds[0]);
    });
    for (const SocketPair& pair : sockets) running.loop().WatchFd(pair.fds[0], EPOLLIN);
  });
  running.Do([] {});
  running.Do([] {});

  EXPECT_EQ(reported.size(), 1U);
}

TEST(LoopTest, WatchesADescriptorAgainWhoseNumberHasComeBack) {
  std::atomic<int> bytes = 0;
  RunningLoop running;
  auto first = std::make_unique<SocketPair>();
  const int number = first->fds[0];
  running.Do([&] { CountBytes(running.loop(), number, bytes); });
  first.reset();  // closed while it was watched: the epoll set has forgotten it
  SocketPair second;
  ASSERT_EQ(second.fds[0], number);

  running.Do([&] { running.loop().WatchFd(number, EPOLLIN); });
  second.Write();

  EXPECT_TRUE(Eventually([&] { return bytes == 1; }));
}

TEST(LoopTest, RefusesWorkOnceItIsClosed) {
  RunningLoop running;
  bool ran = false;

  running.Stop();

  EXPECT_FALSE(running.loop().Post([&] { ran = true; }));
  EXPECT_FALSE(ran);
}

TEST(LoopTest, RunsWhatWasPostedBeforeItClosed) {
  SimpleParker parker;
  Watcher watcher;
  Loop loop(parker, watcher);
  int ran = 0;
  bool taken_late = true;
  ASSERT_TRUE(loop.Post([&] {
    ++ran;
    taken_late = loop.Post([&] { ++ran; });
  }));
  loop.Close();
  parker.ShutDown();

  loop.Run();

  EXPECT_EQ(ran, 1);
  EXPECT_FALSE(taken_late);
}

TEST(LoopTest, ManyLoopsShareOneWatcher) {
  constexpr int kLoops = 4;
  struct Part {
    explicit Part(Watcher& watcher) : loop(parker, watcher) {}
    SimpleParker parker;
    Loop loop;
    SocketPair sockets;
    std::atomic<int> bytes = 0;
    std::thread thread;
  };
  Watcher watcher;
  std::vector<std::unique_ptr<Part>> parts;
  for (int i = 0; i < kLoops; ++i) parts.push_back(std::make_unique<Part>(watcher));
  for (const auto& part : parts) {
    CountBytes(part->loop, part->sockets.fds[0], part->bytes);
    part->thread = std::thread([&loop = part->loop] { loop.Run(); });
  }

  for (int round = 1; round <= 1000; ++round) {
    for (const auto& part : parts) part->sockets.Write();
    for (const auto& part : parts) ASSERT_TRUE(Eventually([&] { return part->bytes == round; }));
  }

  for (const auto& part : parts) {
    part->loop.Close();
    part->parker.ShutDown();
    part->thread.join();
  }
}

}  // namespace
}  // namespace idv
