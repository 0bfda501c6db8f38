#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace idv::bench {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;

// How a client calls: either as many at a time as are allowed (`rate` 0), or evenly spaced.
struct Pattern {
  size_t in_flight = 40;
  size_t calls = 20'000;
  // Calls a second; each is due at its own time, whatever became of those before.
  double rate = 0;
  // Before those that count, in the same way.
  size_t warm_up_calls = 1'000;

  // When call `index` of a run that began at `start` is due.
  TimePoint Due(TimePoint start, size_t index) const {
    return start + std::chrono::duration_cast<Clock::duration>(
                       std::chrono::duration<double>(static_cast<double>(index) / rate));
  }
};

// Processor time that a process has used, in user and kernel mode, of ended threads too.
std::chrono::nanoseconds CpuTimeOf(pid_t pid);

// What came of the calls of one run. For one thread.
class Measurement {
 public:
  // Makes room for so many.
  explicit Measurement(size_t calls) { latencies_.reserve(calls); }

  // A call was answered well, so long after it was due.
  void AddLatency(Clock::duration latency) { latencies_.push_back(latency); }
  // A call failed; the text of the first one is kept.
  void AddError(const std::string& text);

  size_t count() const { return latencies_.size() + errors_; }
  bool failed() const { return errors_ > 0; }

  // Prints one JSON object in one line, for quick.cc: calls, errors, seconds, cpu_us (a call) and
  // latencies in ms. Returns the exit code of the program: 1 when a call failed.
  int Print(Clock::duration elapsed, std::chrono::nanoseconds cpu_time);

 private:
  double LatencyMs(double quantile) const;

  std::vector<Clock::duration> latencies_;
  size_t errors_ = 0;
  std::string first_error_;
};

}  // namespace idv::bench
