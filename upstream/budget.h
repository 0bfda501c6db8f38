#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/strings/string_view.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "upstream/allowance.h"
#include "upstream/loop/timers.h"
#include "upstream/rate_limit.h"

namespace idv {

// Whose turn it is to spend what the upstream allows a tenant. Every request needs a permit; when
// there is none for the moment, calls wait:
//  - `interactive` ones before `batch` ones, but for every eighth permit;
//  - among those, the call whose caller has had the fewest permits of this minute's window, and of
//    one caller the one that came first.
// So that there is something left for those who come later, batch calls are spread evenly over the
// window, and half of the allowance for the rest of it is kept for calls that are interactive and
// whose caller has not had its fair share yet, the same for all callers of this window and the last
// one. Thread-safe; knows no clock, but for a permit that is given back.
class Budget {
 public:
  enum class Priority { kInteractive, kBatch };

  struct Options {
    Allowance::Limits limits;
    // Nothing is counted, and nobody waits.
    bool is_unlimited = false;
    // Calls that may wait.
    int queue = 0;

    bool operator==(const Options&) const = default;
  };

  // A call and its wait, if it has to. One wait at a time.
  class Waiter {
   public:
    Waiter(absl::string_view caller, Priority priority) : caller_(caller), priority_(priority) {}

    // Is called when a wait has been decided on, on any thread; it must not call the budget.
    void SetOnDecided(std::function<void()> on_decided) { on_decided_ = std::move(on_decided); }

   private:
    friend Budget;
    enum class State { kIdle, kWaiting, kGranted, kRefused };

    const std::string caller_;
    std::function<void()> on_decided_;  // not replaced while it waits
    // Protected by the budget's mutex:
    Priority priority_;
    State state_ = State::kIdle;
    uint64_t number_ = 0;  // in the order of their coming
    Allowance::Taken taken_;
  };

  // To send one request. Gives itself back when it goes, unless it was spent. Borrows the budget.
  class Permit {
   public:
    Permit(Permit&& other) noexcept
        : budget_(std::exchange(other.budget_, nullptr)),
          caller_(std::move(other.caller_)),
          taken_(other.taken_) {}
    Permit& operator=(Permit&&) = delete;
    ~Permit();

    // The request was sent, so many times, and `notice` came of it, which says nothing if there was
    // no answer. Not sent at all: `notice` says why, since nothing is left.
    void Spend(int times, const RateLimitNotice& notice, TimePoint now);

   private:
    friend Budget;
    // Of nobody: nothing is counted.
    Permit() : budget_(nullptr) {}
    Permit(Budget* budget, const Waiter& waiter)
        : budget_(budget), caller_(waiter.caller_), taken_(waiter.taken_) {}

    Budget* budget_;
    std::string caller_;
    Allowance::Taken taken_;
  };

  // How a call stands.
  struct Standing {
    enum class Kind { kGranted, kWaiting, kRefused };
    Kind kind;
    // When it would have its turn, or would have had, as far as is known now.
    TimePoint turn;
  };

  // How the budget stands, for people and metrics. Without a limit, both numbers are nothing.
  struct Summary {
    std::optional<int> limit;  // a minute
    std::optional<int> left;
    size_t waiting = 0;
  };

  explicit Budget(const Options& options);

  // For calls from now on, and those that wait.
  void SetOptions(const Options& options, TimePoint now);

  bool is_unlimited() const { return is_unlimited_; }
  // As far as they are known.
  Allowance::Limits limits() const;

  // A permit, if nobody has to wait for one.
  std::optional<Permit> TryTake(Waiter& waiter, TimePoint now);
  // Grants a permit at once, has `waiter` wait for one, or refuses, if its turn would come after
  // `deadline`. A call that waits is decided on later: it is granted a permit, or refused to make
  // room for one of another caller. It must be Withdraw()n in the end, whatever was decided.
  Standing Ask(const std::shared_ptr<Waiter>& waiter, TimePoint deadline, TimePoint now);
  // Decides what can be decided by now. Those that wait call it at the time it returns, at the
  // latest, since time alone gives permits.
  TimePoint Decide(TimePoint now);
  // How a call stands that has asked.
  Standing Look(const Waiter& waiter, TimePoint now);
  // The permit of a call that was granted one, once.
  Permit Take(Waiter& waiter);
  // Ends a wait, and gives back what was granted but not taken.
  void Withdraw(const std::shared_ptr<Waiter>& waiter, TimePoint now);

  // From now on the call is interactive; if it waits, among those.
  void Hurry(const std::shared_ptr<Waiter>& waiter, TimePoint now);

  Summary summary(TimePoint now);

 private:
  using Queue = std::deque<std::shared_ptr<Waiter>>;
  // Those whose wait has ended, to be told when the mutex is free, and how: by then a call may have
  // looked by itself, and ask again.
  struct Decision {
    const Waiter* waiter;
    std::function<void()> on_decided;
  };
  using Decided = std::vector<Decision>;
  struct Caller {
    int granted = 0;  // in this window
    TimePoint seen_at;
    std::array<Queue, 2> waiting;  // by priority
  };

  // Changes something that may let calls go on that wait.
  template <typename Change>
  void ChangeAndGrant(TimePoint now, const Change& change);
  void Roll(TimePoint now);
  bool IsPrivileged(const Caller& caller, Priority priority) const;
  TimePoint EarliestFor(const Caller& caller, Priority priority, int ahead, TimePoint now) const;
  TimePoint TurnOf(const Waiter& waiter, TimePoint now) const;
  Waiter* First(Priority priority);
  Waiter* Next(TimePoint now);
  void Grant(Waiter& waiter, TimePoint now);
  void GrantWaiting(TimePoint now, Decided& decided);
  void Enqueue(const std::shared_ptr<Waiter>& waiter);
  bool Dequeue(const Waiter& waiter);
  bool MakeRoomFor(const Caller& caller, Decided& decided);
  size_t waiting() const { return waiting_[0] + waiting_[1]; }
  void GiveBack(const std::string& caller, const Allowance::Taken& taken);
  void GiveBackLocked(const std::string& caller, const Allowance::Taken& taken);
  void Settle(const Allowance::Taken& taken, int times, const RateLimitNotice& notice,
              TimePoint now);
  static void Tell(const Decided& decided);

  std::atomic<bool> is_unlimited_;

  mutable std::mutex mutex_;
  // Protected by mutex_:
  Allowance allowance_;
  size_t queue_;
  absl::flat_hash_map<std::string, Caller> callers_;
  uint64_t window_ = 0;
  std::array<size_t, 2> waiting_{};
  int since_batch_ = 0;  // permits that went to others while batch calls waited
  uint64_t last_number_ = 0;
};

}  // namespace idv
