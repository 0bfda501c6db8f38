#pragma once

#include <atomic>
#include <cstddef>
#include <vector>

#include "upstream/loop/cancellation.h"

namespace idv {

// The calls that run on one shard, so that a shutdown can wait for them, and cut off those that
// outlast its grace. For the shard's thread, count() apart.
class RunningCalls {
 public:
  // One call, for as long as it lives.
  class Entry {
   public:
    // Borrows both. `may_last`: it has more time to end when the gateway shuts down.
    Entry(RunningCalls& calls, Cancellation& cancellation, bool may_last)
        : calls_(calls),
          cancellation_(cancellation),
          may_last_(may_last),
          place_(calls.entries_.size()) {
      calls_.entries_.push_back(this);
      calls_.count_.store(calls_.entries_.size(), std::memory_order_relaxed);
    }
    ~Entry() {
      Entry* const last = calls_.entries_.back();
      calls_.entries_[place_] = last;
      last->place_ = place_;
      calls_.entries_.pop_back();
      calls_.count_.store(calls_.entries_.size(), std::memory_order_relaxed);
    }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

    // It was cancelled by CutOff(), and not by its caller.
    bool is_cut_off() const { return is_cut_off_; }

   private:
    friend RunningCalls;
    RunningCalls& calls_;
    Cancellation& cancellation_;
    const bool may_last_;
    size_t place_;
    bool is_cut_off_ = false;
  };

  // From any thread.
  size_t count() const { return count_.load(std::memory_order_relaxed); }

  // Cancels every call that its caller has not cancelled; or only those that may not last.
  void CutOff(bool those_that_may_last) {
    for (Entry* entry : entries_) {
      if (entry->may_last_ && !those_that_may_last) continue;
      entry->is_cut_off_ |= !entry->cancellation_.fired();
      entry->cancellation_.Fire();
    }
  }

 private:
  std::vector<Entry*> entries_;
  std::atomic<size_t> count_ = 0;
};

}  // namespace idv
