#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "metrics/status_class.h"

namespace idv {

// What is counted for one tenant, for as long as it is configured. Thread-safe; no lock, since
// every call counts here.
class TenantTally {
 public:
  using WallTime = std::chrono::system_clock::time_point;

  // An HTTP request for it was answered so; 0: not at all.
  void CountRequest(int http_status) {
    requests_[StatusClassOf(http_status)].fetch_add(1, std::memory_order_relaxed);
  }
  // A call for it had to wait for the allowance, so long.
  void CountWait(std::chrono::nanoseconds time) {
    waits_.fetch_add(1, std::memory_order_relaxed);
    waited_.fetch_add(time.count(), std::memory_order_relaxed);
  }
  // Its API key was read from where it comes from; `is_new`: it is another one than before.
  void KeyRead(bool is_new, WallTime now) {
    if (is_new && key_read_at() != WallTime()) key_changes_.fetch_add(1);
    if (is_new) key_changed_at_.store(now);
    key_read_at_.store(now);
  }

  // By the places of kStatusClasses.
  uint64_t requests(size_t status_class) const { return requests_.at(status_class); }
  uint64_t waits() const { return waits_; }
  std::chrono::nanoseconds waited() const { return std::chrono::nanoseconds(waited_); }
  // The epoch when it was never read.
  WallTime key_read_at() const { return key_read_at_; }
  WallTime key_changed_at() const { return key_changed_at_; }
  uint64_t key_changes() const { return key_changes_; }

 private:
  std::array<std::atomic<uint64_t>, kStatusClasses.size()> requests_{};
  std::atomic<uint64_t> waits_ = 0;
  std::atomic<int64_t> waited_ = 0;  // nanoseconds
  std::atomic<WallTime> key_read_at_ = WallTime();
  std::atomic<WallTime> key_changed_at_ = WallTime();
  std::atomic<uint64_t> key_changes_ = 0;
};

}  // namespace idv
