#include "gateway/propagation.h"

namespace idv {

SpanId Propagation::AddTo(RestRequest& request) const {
  const TraceContext attempt = ChildOf(trace);
  request.headers.emplace_back("traceparent", ToTraceparent(attempt));
  if (!attempt.trace_state.empty()) {
    request.headers.emplace_back("tracestate", attempt.trace_state);
  }
  request.headers.emplace_back("X-Request-ID", request_id);
  return attempt.span_id;
}

}  // namespace idv
