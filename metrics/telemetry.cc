#include "metrics/telemetry.h"

#include <absl/strings/str_cat.h>

#include <chrono>

#include "metrics/access_line.h"
#include "metrics/call_spans.h"

namespace idv {
namespace {

std::vector<std::string> NamesOf(const std::vector<CallSeries::Rpc>& rpcs) {
  std::vector<std::string> names;
  names.reserve(rpcs.size());
  for (const CallSeries::Rpc& rpc : rpcs) {
    names.push_back(absl::StrCat(rpc.service, "/", rpc.method));
  }
  return names;
}

}  // namespace

Telemetry::Telemetry(const std::vector<CallSeries::Rpc>& rpcs,
                     const std::vector<CallSeries::Reason>& reasons,
                     const std::vector<absl::string_view>& repeated, const Log* log,
                     SpanExporter* spans)
    : methods_(NamesOf(rpcs)),
      log_(log),
      spans_(spans),
      series_(registry_, rpcs, reasons, repeated) {}

Telemetry::Place Telemetry::Begin(absl::string_view traceparent,
                                  absl::string_view tracestate) const {
  const auto parent = ParseTraceContext({traceparent.data(), traceparent.size()},
                                        {tracestate.data(), tracestate.size()});
  if (!parent) return {BeginTrace(sample_ratio_), std::nullopt};
  return {ChildOf(*parent), parent->span_id};
}

void Telemetry::Ended(const CallRecord& record) {
  series_.Ended(record);
  if (record.trace.is_sampled && spans_ != nullptr) {
    spans_->Export(SpansOf(record, methods_[record.rpc]));
  }
  if (log_ == nullptr || !logs_calls_ || !log_->Shows(Log::Level::kInfo)) return;
  log_->WriteLine(AccessLine(record, methods_[record.rpc], ToHex(record.trace.trace_id),
                             std::chrono::system_clock::now()));
}

}  // namespace idv
