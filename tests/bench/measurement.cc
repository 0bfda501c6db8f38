#include "tests/bench/measurement.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <nlohmann/json.hpp>

namespace idv::bench {

std::chrono::nanoseconds CpuTimeOf(pid_t pid) {
  clockid_t clock{};
  timespec time{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) {
    std::fprintf(stderr, "no process %d to measure\n", pid);
    std::exit(1);
  }
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

void Measurement::AddError(const std::string& text) {
  if (errors_++ == 0) first_error_ = text;
}

// The latencies must be in order.
double Measurement::LatencyMs(double quantile) const {
  if (latencies_.empty()) return 0;
  const auto rank =
      static_cast<size_t>(std::ceil(quantile * static_cast<double>(latencies_.size())));
  const Clock::duration latency = latencies_[std::max<size_t>(rank, 1) - 1];
  return std::chrono::duration<double, std::milli>(latency).count();
}

int Measurement::Print(Clock::duration elapsed, std::chrono::nanoseconds cpu_time) {
  std::sort(latencies_.begin(), latencies_.end());
  const double cpu_us = std::chrono::duration<double, std::micro>(cpu_time).count();
  const nlohmann::json report = {
      {"calls", count()},
      {"errors", errors_},
      {"seconds", std::chrono::duration<double>(elapsed).count()},
      {"cpu_us", cpu_us / static_cast<double>(std::max<size_t>(count(), 1))},
      {"p50", LatencyMs(0.5)},
      {"p90", LatencyMs(0.9)},
      {"p99", LatencyMs(0.99)},
      {"p999", LatencyMs(0.999)},
      {"max", LatencyMs(1)}};
  std::cout << report.dump() << std::endl;
  if (errors_ == 0) return 0;
  std::cerr << errors_ << " calls failed, the first with: " << first_error_ << "\n";
  return 1;
}

}  // namespace idv::bench
