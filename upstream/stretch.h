#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "upstream/loop/timers.h"

namespace idv {

// A part of a call's time in which it was not the gateway that worked.
struct Stretch {
  enum class Kind {
    kReceive,   // the caller's message came
    kWait,      // for the allowance, for a key, or before a repeat
    kUpstream,  // a request was under way
  };
  Kind kind = Kind::kWait;
  TimePoint began;
  TimePoint ended;
  int http_status = 0;  // of kUpstream; 0: there was no answer
  // The id that its span has in a trace; zeros: any.
  std::array<uint8_t, 8> span_id{};
};

inline Clock::duration LengthOf(const Stretch& stretch) { return stretch.ended - stretch.began; }

// In the order of their beginnings.
using Stretches = std::vector<Stretch>;

}  // namespace idv
