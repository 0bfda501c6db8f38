#include "metrics/call_spans.h"

#include <string>

#include "metrics/code_name.h"

namespace idv {
namespace {

using Stretch = CallRecord::Stretch;

const char* NameOf(Stretch::Kind kind) {
  switch (kind) {
    case Stretch::Kind::kReceive:
      return "receive";
    case Stretch::Kind::kWait:
      return "wait";
    case Stretch::Kind::kUpstream:
      return "upstream";
  }
  return "";
}

// What says nothing is left out.
void AddText(Span& span, const char* name, absl::string_view text) {
  if (!text.empty()) span.attributes.emplace_back(name, std::string(text));
}

void AddNumber(Span& span, const char* name, int64_t number) {
  span.attributes.emplace_back(name, number);
}

}  // namespace

std::vector<Span> SpansOf(const CallRecord& record, absl::string_view method) {
  // Both clocks are read now, at the end.
  const auto wall_end = std::chrono::system_clock::now();
  const auto to_wall = [&](CallRecord::Clock::time_point time) {
    return wall_end -
           std::chrono::duration_cast<std::chrono::system_clock::duration>(record.ended - time);
  };
  std::vector<Span> spans;
  spans.reserve(1 + record.stretches.size());
  Span& call = spans.emplace_back();
  call.trace_id = record.trace.trace_id;
  call.span_id = record.trace.span_id;
  call.parent_span_id = record.parent_span_id;
  call.name = std::string(method);
  call.kind = Span::Kind::kServer;
  call.begin = to_wall(record.began);
  call.duration = record.ended - record.began;
  const size_t slash = method.find('/');
  AddText(call, "rpc.system", "grpc");
  AddText(call, "rpc.service", method.substr(0, slash));
  AddText(call, "rpc.method", method.substr(slash + 1));
  AddNumber(call, "rpc.grpc.status_code", record.code);
  AddText(call, "idv.request_id", record.request_id);
  AddText(call, "idv.caller", record.caller);
  AddText(call, "idv.tenant", record.tenant);
  AddText(call, "idv.priority", record.priority);
  AddText(call, "idv.cache", record.cache);
  AddNumber(call, "idv.attempts", record.attempts);
  if (record.code != 0) {
    AddText(call, "idv.reason", record.reason);
    AddText(call, "idv.blame", record.blame);
    call.is_error = true;
    call.status_text = std::string(record.reason);
  }
  for (const Stretch& stretch : record.stretches) {
    const bool is_upstream = stretch.kind == Stretch::Kind::kUpstream;
    Span& part = spans.emplace_back();
    part.trace_id = record.trace.trace_id;
    part.span_id = stretch.span_id == SpanId() ? ChildOf(record.trace).span_id : stretch.span_id;
    part.parent_span_id = record.trace.span_id;
    part.name = NameOf(stretch.kind);
    part.kind = is_upstream ? Span::Kind::kClient : Span::Kind::kInternal;
    part.begin = to_wall(stretch.began);
    part.duration = stretch.ended - stretch.began;
    if (!is_upstream) continue;
    constexpr int kFirstError = 400;
    part.is_error = stretch.http_status == 0 || stretch.http_status >= kFirstError;
    if (stretch.http_status != 0) {
      AddNumber(part, "http.response.status_code", stretch.http_status);
    }
  }
  return spans;
}

}  // namespace idv
