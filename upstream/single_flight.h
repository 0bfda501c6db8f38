#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>
#include <absl/strings/string_view.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "upstream/budget.h"
#include "upstream/loop/cancellation.h"
#include "upstream/loop/event.h"
#include "upstream/loop/loop.h"
#include "upstream/loop/timers.h"
#include "upstream/stretch.h"

namespace idv {

// Reads under way for one tenant: calls that want the same while one is, join it and share its
// answer, also those on other shards. A read ends early when nobody waits for it any more.
//
// A call sees what was written before it came: it does not join a read that was sent before a
// write ended. Thread-safe, but for what is said below.
class SingleFlight {
 public:
  // What came of a read.
  struct Answer {
    absl::Status status;
    // The answer's message, in protobuf's wire format.
    std::shared_ptr<const std::string> message;
    // HTTP requests made.
    int attempts = 0;
    // Where its time went.
    Stretches stretches;
  };

  // One read, which a coroutine of its own makes on the loop of the call that began it.
  class Flight;

  // One call's share in a flight. Used on that call's loop.
  class Joiner {
   public:
    // `loop` must live until the flight has landed.
    explicit Joiner(Loop& loop) : changed_(loop), loop_(loop) {}

    // To be awaited: it is set when the flight lands. Its call sets it for other reasons to wake.
    Event& changed() { return changed_; }
    // Null until the flight has landed.
    std::shared_ptr<const Answer> answer() const { return answer_; }

   private:
    friend SingleFlight;
    Event changed_;
    Loop& loop_;
    std::shared_ptr<const Answer> answer_;
  };

  // What a call wants, and how it would wait for its turn.
  struct Wish {
    absl::string_view key;
    absl::string_view caller;
    Budget::Priority priority;
    TimePoint deadline;
  };
  struct Boarding {
    std::shared_ptr<Flight> flight;
    // Whoever asked must make it: call Send() for each request, and Land().
    bool is_new;
  };

  // Joins the flight for what is wished, or begins one.
  Boarding Join(const Wish& wish, const std::shared_ptr<Joiner>& joiner);
  // The same for nobody: a flight that goes on though nobody waits for it. Null: there is one.
  std::shared_ptr<Flight> Begin(const Wish& wish, Loop& loop);
  // That call waits no more.
  void Leave(const std::shared_ptr<Flight>& flight, const std::shared_ptr<Joiner>& joiner,
             TimePoint now);

  // A request of the flight is about to be sent. On its loop.
  void Send(Flight& flight);
  // It is over. On its loop, once.
  void Land(const std::shared_ptr<Flight>& flight, Answer answer);

  // A write has ended, whatever came of it.
  void Wrote();

 private:
  using Flights = absl::flat_hash_map<std::string, std::shared_ptr<Flight>>;

  void Forget(const Flight& flight);

  std::mutex mutex_;
  // Protected by mutex_:
  Flights flights_;  // those that may be joined
  uint64_t writes_ = 0;
};

class SingleFlight::Flight {
 public:
  Flight(const Wish& wish, Loop& loop)
      : loop_(loop),
        key_(wish.key),
        waiter_(std::make_shared<Budget::Waiter>(wish.caller, wish.priority)),
        deadline_(wish.deadline) {}

  // The latest of those that wait for it.
  const std::atomic<TimePoint>& deadline() const { return deadline_; }
  // Fires when nobody waits for it any more. For its loop.
  Cancellation& cancellation() { return cancellation_; }
  // How many requests were sent so far.
  int requests() const { return requests_; }
  // Its place among those that wait for a permit.
  const std::shared_ptr<Budget::Waiter>& waiter() const { return waiter_; }

 private:
  friend SingleFlight;

  Loop& loop_;
  const std::string key_;
  const std::shared_ptr<Budget::Waiter> waiter_;
  std::atomic<TimePoint> deadline_;
  std::atomic<int> requests_ = 0;
  Cancellation cancellation_;
  // Protected by the mutex of SingleFlight:
  std::vector<std::shared_ptr<Joiner>> joiners_;
  bool needs_nobody_ = false;
  bool has_landed_ = false;
  uint64_t writes_ = 0;  // when it was sent
};

}  // namespace idv
