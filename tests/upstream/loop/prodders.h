#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <limits>
#include <random>
#include <thread>
#include <vector>

#include "tests/meeting.h"

namespace idv {

// Threads that all make a loop do something at about the same moment, again and again. A round ends
// when the loop has done it for all of them, so that no later wake-up makes up for a lost one; the
// next one begins a random moment later: before, while or after the loop parks.
class Prodders {
 public:
  using Prod = std::function<void()>;

  // On the loop's thread: it has been prodded.
  void Arrive() { ++arrived_; }

  // Goes on until `enough` says so. Each of `prods` has a thread of its own and makes the loop call
  // Arrive() once. False when it does not: a wake-up was lost.
  bool Run(const std::vector<Prod>& prods, const std::function<bool()>& enough) {
    std::vector<std::thread> threads;
    for (size_t i = 0; i < prods.size(); ++i) {
      threads.emplace_back([&, i] {
        // The others cannot end a round without the first one, so they know which one is the last.
        RunOne(prods[i], static_cast<int>(prods.size()), static_cast<unsigned>(i + 1),
               [&, i](int round) {
                 if (i == 0 && enough()) last_round_ = round;
               });
      });
    }
    for (std::thread& thread : threads) thread.join();
    return !lost_;
  }

 private:
  // Nothing happens for so long only if a wake-up was lost.
  static constexpr auto kPatience = std::chrono::seconds(20);

  void RunOne(const Prod& prod, int parties, unsigned seed,
              const std::function<void(int round)>& begin) {
    std::minstd_rand random(seed);
    std::uniform_int_distribution<int> pause(0, 4000);
    for (int round = 1; round <= last_round_; ++round) {
      begin(round);
      SpinFor(std::chrono::nanoseconds(pause(random)));
      prod();
      const auto end = std::chrono::steady_clock::now() + kPatience;
      while (arrived_ < round * parties && !lost_) {
        std::this_thread::yield();
        if (std::chrono::steady_clock::now() > end) lost_ = true;
      }
      if (lost_) return;
    }
  }

  std::atomic<int> arrived_ = 0;
  std::atomic<int> last_round_ = std::numeric_limits<int>::max();
  std::atomic<bool> lost_ = false;
};

}  // namespace idv
