#pragma once

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

namespace idv {

// Tells everything that works for one call that its result is no longer wanted. Owned by the call;
// for one thread.
class Cancellation {
 public:
  // Calls `on_fire` when the cancellation fires, unless it is destroyed before. Borrows the
  // cancellation, which must have not fired yet.
  class Listener {
   public:
    Listener(Cancellation& cancellation, std::function<void()> on_fire)
        : cancellation_(cancellation), on_fire_(std::move(on_fire)) {
      cancellation_.listeners_.push_back(this);
    }
    ~Listener() { std::erase(cancellation_.listeners_, this); }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

   private:
    friend Cancellation;
    Cancellation& cancellation_;
    const std::function<void()> on_fire_;
  };

  Cancellation() = default;
  Cancellation(const Cancellation&) = delete;
  Cancellation& operator=(const Cancellation&) = delete;

  bool fired() const { return fired_; }

  // Tells every listener once. A listener may not destroy listeners from its call; it schedules
  // what is to happen.
  void Fire() {
    if (std::exchange(fired_, true)) return;
    for (Listener* listener : listeners_) listener->on_fire_();
  }

 private:
  bool fired_ = false;
  std::vector<Listener*> listeners_;
};

}  // namespace idv
