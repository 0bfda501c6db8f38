#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <limits>
#include <mutex>
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

  // On a loop's thread: it has been prodded.
  void Arrive() {
    const std::lock_guard lock(mutex_);
    ++arrived_;
    if (arrived_ % parties_ == 0) all_arrived_.notify_all();
  }

  // Goes on until `enough` says so. Each of `prods` has a thread of its own and makes a loop call
  // Arrive() once. False when it does not: a wake-up was lost.
  bool Run(const std::vector<Prod>& prods, const std::function<bool()>& enough) {
    parties_ = static_cast<int>(prods.size());
    std::vector<std::thread> threads;
    for (size_t i = 0; i < prods.size(); ++i) {
      threads.emplace_back([&, i] {
        std::minstd_rand random(static_cast<unsigned>(i + 1));
        std::uniform_int_distribution<int> pause(0, 4000);
        for (int round = 1; round <= last_round_; ++round) {
          // The others cannot end a round without the first one, so they know which one is the
          // last.
          if (i == 0 && enough()) last_round_ = round;
          SpinFor(std::chrono::nanoseconds(pause(random)));
          prods[i]();
          if (!AllHaveArrived(round)) last_round_ = 0;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    return last_round_ > 0;
  }

 private:
  // Nothing happens for so long only if a wake-up was lost.
  static constexpr auto kPatience = std::chrono::seconds(20);

  bool AllHaveArrived(int round) {
    std::unique_lock lock(mutex_);
    return all_arrived_.wait_for(lock, kPatience, [&] { return arrived_ >= round * parties_; });
  }

  std::mutex mutex_;
  std::condition_variable all_arrived_;
  int parties_ = 1;  // set before the first arrival
  int arrived_ = 0;  // protected by mutex_
  std::atomic<int> last_round_ = std::numeric_limits<int>::max();
};

}  // namespace idv
