#pragma once

#include <chrono>

namespace idv {

// How long a shutdown takes its time, step by step.
struct DrainTimes {
  // Serving on, while the health says NOT_SERVING, for callers and load balancers to notice.
  std::chrono::milliseconds settle{};
  // Then: for running calls to end by themselves, while new ones are refused.
  std::chrono::milliseconds unary_grace{};
  // The same for frame streams, which take longer; not less than unary_grace.
  std::chrono::milliseconds stream_grace{};
};

}  // namespace idv
