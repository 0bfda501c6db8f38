#pragma once

#include <chrono>
#include <thread>

namespace idv {

// Waits for what must happen by itself; false when it does not, however slow the machine may be.
template <typename Condition>
bool Eventually(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace idv
