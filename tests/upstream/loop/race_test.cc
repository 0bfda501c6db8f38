#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "tests/eventually.h"
#include "tests/meeting.h"
#include "tests/rounds.h"
#include "tests/upstream/loop/prodders.h"
#include "tests/upstream/loop/running_loop.h"
#include "tests/upstream/loop/socket_pair.h"

// Loops, timers and the watcher against other threads, and against what their own handlers do, as
// often as it takes for every order to occur.
namespace idv {
namespace {

using std::chrono::microseconds;

std::function<bool()> HasParked(RunningLoop& running, int times) {
  return [&running, times] { return running.parker().parked() >= times; };
}

TEST(LoopRaceTest, LosesNoWakeUpOfAMillionPosts) {
  Prodders prodders;
  RunningLoop running;
  const Prodders::Prod post = [&] { running.loop().Post([&] { prodders.Arrive(); }); };

  EXPECT_TRUE(prodders.Run({post}, HasParked(running, Rounds(60'000, 1'000'000))));
}

TEST(LoopRaceTest, LosesNoWakeUpOfPostsOfManyThreads) {
  Prodders prodders;
  RunningLoop running;
  const Prodders::Prod post = [&] { running.loop().Post([&] { prodders.Arrive(); }); };

  EXPECT_TRUE(prodders.Run({post, post, post}, HasParked(running, Rounds(30'000, 500'000))));
}

TEST(LoopRaceTest, LosesNoWakeUpOfDescriptorsAndPosts) {
  const std::array<SocketPair, 2> sockets;
  Prodders prodders;
  RunningLoop running;
  running.Do([&] {
    running.loop().SetFdHandler([&](int fd, uint32_t) {
      if (SocketPair::Read(fd) > 0) prodders.Arrive();
    });
    for (const SocketPair& pair : sockets) running.loop().WatchFd(pair.fds[0], EPOLLIN);
  });

  const Prodders::Prod post = [&] { running.loop().Post([&] { prodders.Arrive(); }); };

  EXPECT_TRUE(prodders.Run({[&] { sockets[0].Write(); }, [&] { sockets[1].Write(); }, post},
                           HasParked(running, Rounds(15'000, 300'000))));
}

// As an HTTP client does it: a descriptor is watched for one transfer, then not, then for the next
// one.
TEST(LoopRaceTest, LosesNoEventOfADescriptorThatIsWatchedFromTimeToTime) {
  const SocketPair sockets;
  const int fd = sockets.fds[0];
  bool watched = false;
  Prodders prodders;
  RunningLoop running;
  const auto toggle = [&] {
    watched = !watched;
    if (watched) {
      running.loop().WatchFd(fd, EPOLLIN);
    } else {
      running.loop().UnwatchFd(fd);
    }
  };
  std::optional<Timer> watch_again;
  running.Do([&] {
    watch_again.emplace(running.loop().timers(), [&] {
      if (!watched) toggle();
    });
    running.loop().SetFdHandler([&](int ready, uint32_t) {
      EXPECT_TRUE(watched);
      if (SocketPair::Read(ready) == 0) return;
      toggle();
      watch_again->Set(Clock::now() + microseconds(5));
      prodders.Arrive();
    });
    toggle();
  });
  const Prodders::Prod toggle_there = [&] {
    running.loop().Post([&] {
      toggle();
      watch_again->Set(Clock::now() + microseconds(5));
      prodders.Arrive();
    });
  };

  EXPECT_TRUE(prodders.Run({[&] { sockets.Write(); }, toggle_there},
                           HasParked(running, Rounds(10'000, 300'000))));

  running.Do([&] { watch_again.reset(); });
}

TEST(LoopRaceTest, RunsWhatItHasTakenAndNothingElseWhenItCloses) {
  int rounds_with_late_posts = 0;
  for (int round = 0; round < Rounds(300, 20'000); ++round) {
    const SocketPair sockets;
    RunningLoop running;
    running.Do([&] {
      running.loop().SetFdHandler([](int fd, uint32_t) { SocketPair::Read(fd); });
      running.loop().WatchFd(sockets.fds[0], EPOLLIN);
    });
    std::atomic<int> started = 0;
    std::atomic<int> taken = 0;
    std::atomic<int> ran = 0;
    std::vector<std::thread> others;
    for (int i = 0; i < 2; ++i) {
      others.emplace_back([&] {
        ++started;
        while (running.loop().Post([&ran] { ++ran; })) {
          ++taken;
          std::this_thread::yield();
        }
      });
    }
    // Wakes the loop through the watcher.
    std::atomic<bool> stopped = false;
    others.emplace_back([&] {
      ++started;
      for (; !stopped; std::this_thread::yield()) sockets.Write();
    });
    while (started < 3) std::this_thread::yield();
    const int before = taken;

    running.Stop();

    stopped = true;
    for (std::thread& other : others) other.join();
    ASSERT_EQ(ran, taken);
    ASSERT_FALSE(running.loop().Post([&ran] { ++ran; }));
    rounds_with_late_posts += static_cast<int>(taken > before);
  }
  EXPECT_GT(rounds_with_late_posts, 0);
}

// The watcher as loops come and go: each thread is one loop after the other.
TEST(WatcherRaceTest, WakesOnceForAnArmAndNeverAfterRemove) {
  constexpr int kThreads = 4;
  const int rounds = Rounds(10'000, 100'000);
  Watcher watcher;
  std::atomic<int> wakes = 0;
  std::atomic<int> woken_before_removal = 0;
  std::atomic<int> removed_before_wake = 0;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      Meeting removal(microseconds(20), microseconds(20), i + 1);
      for (int round = 0; round < rounds; ++round) {
        const int fd = eventfd(0, EFD_NONBLOCK);
        std::atomic<bool> woken = false;
        std::atomic<bool> removed = false;
        watcher.Add(fd, [&] {
          EXPECT_FALSE(removed);
          woken = true;
          ++wakes;
          SpinFor(microseconds(3));
          EXPECT_FALSE(removed) << "Remove() must wait for the end of this";
        });
        watcher.Arm(fd);
        watcher.Arm(fd);
        EXPECT_EQ(eventfd_write(fd, 1), 0);
        // Now and then the wake is waited for: it must come.
        const bool wait = round % 8 == 0;
        if (wait) {
          EXPECT_TRUE(Eventually([&] { return woken.load(); }));
        } else {
          SpinFor(removal.Delay());
        }
        watcher.Remove(fd);
        removed = true;
        if (!wait) {
          woken ? removal.FirstWon() : removal.SecondWon();
          ++(woken ? woken_before_removal : removed_before_wake);
        }
        close(fd);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_LE(wakes, kThreads * rounds);
  EXPECT_GT(woken_before_removal, rounds / 10);
  EXPECT_GT(removed_before_wake, rounds / 10);
}

// Timers that set, cancel, destroy and make each other, and what must hold for each: it fires once
// for every time it was set, unless it was cancelled or set again, and not before it is due.
class TimerGame {
 public:
  TimerGame(Loop& loop, unsigned seed) : loop_(loop), random_(seed), timers_(kTimers) {
    for (size_t i = 0; i < kTimers; ++i) Make(i);
  }

  // Whatever a handler may do to a timer, of itself or of another one; a handler does not destroy
  // its own.
  void Move(std::optional<size_t> self) {
    const size_t i = Random(kTimers);
    switch (Random(4)) {
      case 0:
        ++cancelled_;
        timers_[i].timer->Cancel();
        timers_[i].due.reset();
        break;
      case 1:
        if (i == self) break;
        timers_[i].timer.reset();
        timers_[i].due.reset();
        Make(i);
        break;
      default:
        timers_[i].due =
            Clock::now() + microseconds(Random(60)) - microseconds(10);  // some are past already
        timers_[i].timer->Set(*timers_[i].due);
    }
  }

  void StopMoving() { moving_ = false; }
  bool AllHaveFired() const {
    return std::none_of(timers_.begin(), timers_.end(),
                        [](const Entry& entry) { return entry.due.has_value(); });
  }
  int fired() const { return fired_; }
  int cancelled() const { return cancelled_; }

 private:
  static constexpr size_t kTimers = 16;

  struct Entry {
    std::unique_ptr<Timer> timer;
    std::optional<TimePoint> due;  // when it is set
  };

  void Make(size_t i) {
    timers_[i].timer = std::make_unique<Timer>(loop_.timers(), [this, i] { Fire(i); });
  }

  void Fire(size_t i) {
    ++fired_;
    EXPECT_TRUE(timers_[i].due.has_value()) << "it was not set";
    EXPECT_LE(timers_[i].due.value_or(TimePoint::max()), Clock::now());
    timers_[i].due.reset();
    for (int moves = 0; moving_ && moves < 3; ++moves) Move(i);
  }

  size_t Random(size_t below) { return random_() % below; }

  Loop& loop_;
  std::minstd_rand random_;
  std::vector<Entry> timers_;
  bool moving_ = true;
  int fired_ = 0;
  int cancelled_ = 0;
};

TEST(TimersRaceTest, FireOnceUnlessCancelledWhateverHandlersAndPostsDo) {
  const int wanted = Rounds(100'000, 2'000'000);
  RunningLoop running;
  std::optional<TimerGame> game;
  running.Do([&] { game.emplace(running.loop(), 1U); });
  std::atomic<bool> enough = false;
  // Posts keep the game going when all timers have come to be cancelled, and wake the loop from
  // parking for one.
  std::thread mover([&] {
    while (!enough) {
      running.Do([&] {
        game->Move(std::nullopt);
        enough = game->fired() >= wanted;
      });
    }
  });
  mover.join();

  running.Do([&] { game->StopMoving(); });

  EXPECT_TRUE(Eventually([&] { return running.Do([&] { return game->AllHaveFired(); }); }));
  EXPECT_GT(running.Do([&] { return game->cancelled(); }), 1000);
  running.Do([&] { game.reset(); });
}

}  // namespace
}  // namespace idv
