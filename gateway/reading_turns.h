#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <optional>

#include "upstream/loop/timers.h"

namespace idv {

// Has the large messages that come to one shard read a few at a time, in the order of their calls:
// many at once would fill the memory while each of them is far from whole, and none would be
// whole any sooner. Whoever sends slowly holds up nobody for long: after kTurn the next one begins
// all the same. For the shard's thread; must outlive its turns.
class ReadingTurns {
 public:
  static constexpr size_t kAtOnce = 8;
  // Many times what 10 MiB take from a machine nearby.
  static constexpr std::chrono::milliseconds kTurn{250};

  // One message's, for as long as it lives.
  class Turn {
   public:
    // Calls `on_begin` when the turn has begun, at once if nobody else is being read.
    Turn(ReadingTurns& turns, std::function<void()> on_begin);
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

    // It stays begun when others begin besides.
    bool has_begun() const { return !place_; }

   private:
    friend ReadingTurns;
    void Begin();
    void StopCounting();

    ReadingTurns& turns_;
    const std::function<void()> on_begin_;
    Timer timer_;
    std::optional<std::list<Turn*>::iterator> place_;  // while it waits
    bool counts_ = false;
  };

  // Borrows the timers.
  explicit ReadingTurns(Timers& timers) : timers_(timers) {}

 private:
  void BeginNext();

  Timers& timers_;
  std::list<Turn*> waiting_;
  size_t counted_ = 0;
};

}  // namespace idv
