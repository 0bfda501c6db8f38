#pragma once

#include <absl/status/statusor.h>

#include <vector>

#include "gateway/config.h"
#include "upstream/upstream.h"

namespace idv {

// The tenants of the configuration with their keys, in its order, read from the files and variables
// it names. kInvalidArgument: every key that cannot be read or used, one a line, each with its path
// in the configuration.
absl::StatusOr<std::vector<Sender>> LoadSenders(const Config& config);

}  // namespace idv
