#include "tests/bench/meter.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

namespace idv::bench {
namespace {

[[noreturn]] void Die(const std::string& what, pid_t pid) {
  std::cerr << what << " of process " << pid << "\n";
  std::exit(1);
}

// Has the peak count from what is in use now on: proc(5), clear_refs.
void ForgetPeak(pid_t pid) {
  std::ofstream file("/proc/" + std::to_string(pid) + "/clear_refs");
  file << "5";
  if (!file.flush()) Die("cannot reset the peak memory", pid);
}

double Milliseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

}  // namespace

uint64_t MemoryOf(pid_t pid, const std::string& figure) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string word; status >> word;) {
    uint64_t kib = 0;
    if (word == figure + ":" && status >> kib) return kib << 10;
  }
  Die("no memory figure", pid);
}

Meter::Meter(pid_t pid) : pid_(pid) {
  ForgetPeak(pid);
  memory_before_ = MemoryOf(pid, "VmRSS");
  start_ = Clock::now();
  cpu_before_ = CpuTimeOf(pid);
}

void Meter::Print(uint64_t image_bytes) const {
  const auto cpu_time = CpuTimeOf(pid_) - cpu_before_;
  const auto elapsed = Clock::now() - start_;
  // The kernel counts pages of several threads a little late.
  const uint64_t most = std::max(MemoryOf(pid_, "VmHWM"), memory_before_);
  const nlohmann::json report = {{"image_bytes", image_bytes},
                                 {"seconds", Milliseconds(elapsed) / 1e3},
                                 {"cpu_ms", Milliseconds(cpu_time)},
                                 {"growth_bytes", most - memory_before_}};
  std::cout << report.dump() << std::endl;
}

}  // namespace idv::bench
