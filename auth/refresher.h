#pragma once

#include <absl/random/random.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace idv {

// Does jobs that may block, one at a time on a thread of its own: each again from time to time, and
// when somebody asks for it. Thread-safe; must outlive those that wait.
class Refresher {
 public:
  using Clock = std::chrono::steady_clock;

  struct Options {
    // A job is done again so long after it was, give or take a quarter, so that those of many
    // gateways do not come together. 0: only when it is asked for.
    std::chrono::milliseconds poll{};
    // A job does not begin sooner after it last began, however often it is asked for.
    std::chrono::milliseconds least_interval{};
  };

  // Something to be done again, for as long as somebody holds it.
  class Job {
    friend Refresher;
    std::function<void()> work;
    // The rest is protected by the refresher's mutex_.
    bool is_asked = false;
    bool is_running = false;
    int64_t begun = 0;
    int64_t ended = 0;
    std::optional<Clock::time_point> last_begin;
    Clock::time_point next_poll;
  };

  // Asks for a job and tells when it is done.
  class Wait {
   public:
    enum class For {
      kNext,     // one that begins after now
      kRunning,  // the one that runs, if one does
    };

    // `on_done` is called on the refresher's thread, once, and must be quick.
    Wait(Refresher& refresher, std::shared_ptr<Job> job, For which, std::function<void()> on_done);
    // From here on it is not called.
    ~Wait();
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;

   private:
    friend Refresher;
    Refresher& refresher_;
    const std::shared_ptr<Job> job_;
    const std::function<void()> on_done_;
    int64_t awaited_ = 0;
  };

  explicit Refresher(const Options& options);
  // Waits for a job that runs.
  ~Refresher();
  Refresher(const Refresher&) = delete;
  Refresher& operator=(const Refresher&) = delete;

  // A job that was just done. What `work` uses must live until the refresher has gone.
  std::shared_ptr<Job> Add(std::function<void()> work);

  // Soon.
  void Ask(Job& job);

  // Whether somebody who asks need not wait for the least interval to pass: it runs, or may begin.
  bool IsNear(const Job& job) const;

 private:
  void Run();
  std::shared_ptr<Job> NextDue(Clock::time_point now);
  Clock::time_point MayBegin(const Job& job) const;
  Clock::time_point DueAt(const Job& job) const;
  Clock::time_point NextPoll();
  void Do(Job& job, std::unique_lock<std::mutex>& lock);
  void TellWaiting(const Job& job);

  const Options options_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Protected by mutex_:
  std::vector<std::weak_ptr<Job>> jobs_;
  std::vector<Wait*> waits_;
  bool is_ending_ = false;
  absl::BitGen random_;

  std::thread thread_;
};

}  // namespace idv
