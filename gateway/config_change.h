#pragma once

#include <string>
#include <vector>

#include "kora/idv/gateway/v1/config.pb.h"

namespace idv {

// What of a new configuration a running gateway can take.
struct ConfigChange {
  // The one that it runs with, with what it can take of the new one.
  kora::idv::gateway::v1::Config next;
  // Where they differ and it cannot: paths such as "listen.grpc".
  std::vector<std::string> needs_restart;
};

// Both with their defaults filled in.
ConfigChange ChangeTo(const kora::idv::gateway::v1::Config& wanted,
                      const kora::idv::gateway::v1::Config& running);

}  // namespace idv
