#pragma once

#include <absl/status/status.h>

#include "gateway/config.h"

namespace idv {

// What only the machine can tell of a configuration: that the files for the upstream's TLS and for
// Redis, and the place of snapshots, can be used. Those of tenants, callers and listeners are read
// by Credentials. kInvalidArgument names the key, the file and what is wrong with it.
absl::Status CheckFiles(const Config& config);

}  // namespace idv
