#pragma once

#include <sys/types.h>

#include <cstddef>
#include <iosfwd>

namespace idv::chaos {

// What a running program holds.
struct Footprint {
  // `upstream_port`: of the server to which its connections are counted apart.
  static Footprint Of(pid_t pid, int upstream_port);

  size_t resident_kib = 0;
  size_t threads = 0;
  // Open ones, connections to the upstream apart, which it may keep for the next calls.
  size_t descriptors = 0;
  size_t upstream_connections = 0;
};

std::ostream& operator<<(std::ostream& out, const Footprint& footprint);

// A figure of /proc/PID/status that is given in kB: "VmRSS", or "VmHWM", the most that was ever
// resident.
size_t StatusKib(pid_t pid, const char* name);

}  // namespace idv::chaos
