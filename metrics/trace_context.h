#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace idv {

using TraceId = std::array<uint8_t, 16>;
using SpanId = std::array<uint8_t, 8>;

// A span's place in a trace, as W3C Trace Context level 1 (www.w3.org/TR/trace-context-1) hands it
// from one service to the next. A value. The functions below may be called on any thread; none
// takes a lock.
struct TraceContext {
  TraceId trace_id{};
  SpanId span_id{};
  // Whether the trace's spans are kept. All spans of a trace go by who began it.
  bool is_sampled = false;
  // The header tracestate, which belongs to others and is handed on as it came.
  std::string trace_state;
};

// Of tracestate that is handed on: as much as the standard (3.3.1.5) asks for at least.
constexpr size_t kMaxTraceStateBytes = 512;

// The context that the headers traceparent and tracestate carry. Nothing when traceparent is
// absent (empty) or broken: then begin a new trace. A version to come is read as far as this one
// goes. Several headers tracestate are to be joined by commas; several traceparent are a broken
// one. Of tracestate over kMaxTraceStateBytes the last members are left out, and all of it if it
// is no printable ASCII.
std::optional<TraceContext> ParseTraceContext(std::string_view traceparent,
                                              std::string_view tracestate);

// The value of the header traceparent that makes `context` the parent of what its reader does.
std::string ToTraceparent(const TraceContext& context);

// In lower-case hexadecimal digits.
std::string ToHex(const TraceId& trace_id);

// The first span of a new trace, which is sampled as SamplesTrace() says.
TraceContext BeginTrace(double sample_ratio);

// A new span of the same trace, for which `parent` decides whether it is sampled.
TraceContext ChildOf(const TraceContext& parent);

// Whether the trace belongs to the share of all that is kept: 0 none, 1 all. As OpenTelemetry's
// consistent probability sampling does it, so that others decide alike by the same id: by the last
// 56 bits, of which the highest are taken.
bool SamplesTrace(const TraceId& trace_id, double sample_ratio);

}  // namespace idv
