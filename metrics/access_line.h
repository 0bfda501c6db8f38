#pragma once

#include <absl/strings/string_view.h>

#include <chrono>
#include <string>

#include "metrics/call_record.h"

namespace idv {

// The access log's line for a call, one JSON object, without its end. `method`:
// "package.Service/Method". Members that say nothing are left out.
std::string AccessLine(const CallRecord& record, absl::string_view method,
                       absl::string_view trace_id, std::chrono::system_clock::time_point now);

// UTC with milliseconds, RFC 3339: what every line begins with.
std::string LogTime(std::chrono::system_clock::time_point time);

}  // namespace idv
