#include "gateway/processors.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>

namespace idv {
namespace {

int AffinityProcessors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return CPU_COUNT(&set);
}

// "QUOTA PERIOD" in microseconds, or "max PERIOD". In a container the limit stands at the root of
// what it sees.
double CgroupProcessors() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  double quota = 0;
  double period = 0;
  if (!(file >> quota >> period) || quota <= 0 || period <= 0) return 1 << 16;
  return quota / period;
}

}  // namespace

int UsableProcessors() {
  const double processors = std::min<double>(AffinityProcessors(), std::ceil(CgroupProcessors()));
  return std::max(1, static_cast<int>(processors));
}

}  // namespace idv
