#pragma once

#include <string>

#include "metrics/trace_context.h"
#include "upstream/route.h"
#include "upstream/stretch.h"

namespace idv {

// What the upstream is told of the call for which it is asked, if that is wanted.
struct Propagation {
  TraceContext trace;  // the call's own span
  std::string request_id;

  // Adds the headers to a request, of a span of its own, whose id is returned.
  SpanId AddTo(RestRequest& request) const;
};

}  // namespace idv
