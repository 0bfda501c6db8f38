#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "tests/bench/storm/contender.h"
#include "tests/bench/storm/request_counter.h"
#include "tests/bench/storm/tally.h"

namespace idv::bench::storm {

struct Size {
  size_t pollers = 200;
  // Those that are polled.
  size_t verifications = 20;
  // Those that run through meanwhile.
  size_t onboardings = 10;
  double seconds = 180;
  std::chrono::seconds poll_deadline{60};
};

// What one storm over one contender showed.
struct Seen {
  Tally polls;
  Tally writes;
  size_t onboardings_through = 0;
  UpstreamRequests upstream;
  // Until its end, or until the last call had ended, if that was later.
  double seconds = 0;
  // Processor time of this program, the load's own cost, in shares of one processor.
  double load_share = 0;
};

// Starts a contender in front of a new upstream, and lets the storm go over it.
Seen RunStorm(const std::string& contender, const Programs& programs, const Size& size);

}  // namespace idv::bench::storm
