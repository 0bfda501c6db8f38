#pragma once

#include "metrics/log.h"

namespace idv {

// Sends what gRPC itself reports as an error to `log`, which must outlive the process's last call
// of it, a few lines a second and beyond that their number; and silences protobuf, whose reports
// name the fields of callers' messages.
void RouteLibraryLogsTo(const Log& log);

}  // namespace idv
