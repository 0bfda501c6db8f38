#pragma once

#include <prometheus/registry.h>

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "metrics/call_record.h"
#include "metrics/call_series.h"
#include "metrics/log.h"
#include "metrics/span_exporter.h"
#include "metrics/trace_context.h"

namespace idv {

// What is told of calls to those who watch the gateway: series, the access log and traces.
// Thread-safe.
class Telemetry {
 public:
  // For calls from now on.
  struct Options {
    // Whether a line is written for each call.
    bool logs_calls = true;
    // The share of the traces begun here that is kept.
    double sample_ratio = 0;
  };

  // `log`: where lines go; `spans`: where those of sampled traces go; null: nowhere. Borrowed.
  Telemetry(const std::vector<CallSeries::Rpc>& rpcs,
            const std::vector<CallSeries::Reason>& reasons,
            const std::vector<absl::string_view>& repeated, const Log* log, SpanExporter* spans);

  void SetOptions(const Options& options) {
    logs_calls_ = options.logs_calls;
    sample_ratio_ = options.sample_ratio;
  }

  CallSeries& series() { return series_; }
  const CallSeries& series() const { return series_; }
  // Those of calls.
  prometheus::Registry& registry() { return registry_; }

  // The span of a call that came with these headers, and the one that it is a part of, if there
  // is one.
  struct Place {
    TraceContext trace;
    std::optional<SpanId> parent_span_id;
  };
  Place Begin(absl::string_view traceparent, absl::string_view tracestate) const;

  void Ended(const CallRecord& record);

 private:
  const std::vector<std::string> methods_;  // "package.Service/Method"
  const Log* const log_;
  SpanExporter* const spans_;
  std::atomic<bool> logs_calls_ = true;
  std::atomic<double> sample_ratio_ = 0;
  prometheus::Registry registry_;
  CallSeries series_;
};

}  // namespace idv
