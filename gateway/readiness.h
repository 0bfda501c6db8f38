#pragma once

#include <string>
#include <vector>

namespace idv {

// Whether the gateway should be sent calls.
struct Readiness {
  bool is_ready = true;
  // What is wrong, a line each; it may be ready all the same, for the tenants that are well.
  std::vector<std::string> reasons;
};

}  // namespace idv
