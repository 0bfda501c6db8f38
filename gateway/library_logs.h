#pragma once

#include "metrics/log.h"

namespace idv {

// Sends what gRPC itself reports as an error to `log`, which must outlive the process's last call
// of it, and silences protobuf, whose reports name the fields of callers' messages.
void RouteLibraryLogsTo(const Log& log);

}  // namespace idv
