#pragma once

#include <absl/strings/string_view.h>

#include <vector>

#include "metrics/call_record.h"
#include "metrics/span.h"

namespace idv {

// The spans of a call that has just ended: its own first, and one for each of its stretches.
// `method`: "package.Service/Method". Names of attributes are OpenTelemetry's where it has some.
std::vector<Span> SpansOf(const CallRecord& record, absl::string_view method);

}  // namespace idv
