#pragma once

#include "kora/idv/gateway/v1/config.pb.h"

namespace idv {

// Fills in what a configuration leaves out. The defaults stand there and in the comments of
// config.proto.
void FillDefaults(kora::idv::gateway::v1::Config& config);

}  // namespace idv
