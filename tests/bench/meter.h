#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>

#include "tests/bench/measurement.h"

namespace idv::bench {

// A figure in bytes of /proc/PID/status: "VmRSS" is the memory in use now, "VmHWM" the most there
// was. Ends this program when there is none.
uint64_t MemoryOf(pid_t pid, const std::string& figure);

// What it takes of a process to carry pictures: processor time and memory, from here on.
class Meter {
 public:
  // The process may be this one. It must be one's own, or one must be root.
  explicit Meter(pid_t pid);

  // Prints one JSON object in one line, for streams.cc: image_bytes, seconds, cpu_ms, and
  // growth_bytes, which is how much more memory there was in use at one time than at the beginning.
  void Print(uint64_t image_bytes) const;

 private:
  const pid_t pid_;
  uint64_t memory_before_;
  TimePoint start_;
  std::chrono::nanoseconds cpu_before_;
};

}  // namespace idv::bench
