#include "metrics/call_series.h"

#include <algorithm>
#include <iterator>

namespace idv {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildHistogram;
using prometheus::Counter;
using prometheus::Family;
using prometheus::Histogram;
using prometheus::Labels;
using prometheus::Registry;

// Seconds: from an answer out of the cache to the longest deadline.
const Histogram::BucketBoundaries& CallBuckets() {
  static const Histogram::BucketBoundaries kBuckets = {
      0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};
  return kBuckets;
}

// The gateway's own time, which is tens of microseconds when it is well.
const Histogram::BucketBoundaries& OverheadBuckets() {
  static const Histogram::BucketBoundaries kBuckets = {0.00005, 0.0001, 0.00025, 0.0005, 0.001,
                                                       0.0025,  0.005,  0.01,    0.025,  0.1};
  return kBuckets;
}

double Seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

std::string Text(absl::string_view text) { return std::string(text); }

Family<Counter>& Counters(Registry& registry, const std::string& name, const std::string& help) {
  return BuildCounter().Name(name).Help(help).Register(registry);
}

Family<Histogram>& Histograms(Registry& registry, const std::string& name,
                              const std::string& help) {
  return BuildHistogram().Name(name).Help(help).Register(registry);
}

}  // namespace

CallSeries::CallSeries(Registry& registry, const std::vector<Rpc>& rpcs,
                       const std::vector<Reason>& reasons,
                       const std::vector<absl::string_view>& repeated) {
  MakeRpcs(registry, rpcs);
  MakeFailures(registry, reasons);

  auto& stretches = Histograms(
      registry, "idv_gateway_call_phase_seconds",
      "Where the time of RPCs went besides the gateway: receiving an upload from the caller, "
      "waiting for the allowance or before a repeat, and the upstream.");
  const std::array<const char*, 3> stretch_names = {"receive", "wait", "upstream"};
  for (size_t i = 0; i < stretch_names.size(); ++i) {
    stretches_[i] = &stretches.Add({{"phase", stretch_names[i]}}, CallBuckets());
  }
  overhead_ = &Histograms(registry, "idv_gateway_overhead_seconds",
                          "The gateway's own time in unary RPCs: from first byte to status, less "
                          "receiving, waiting and the upstream.")
                   .Add({}, OverheadBuckets());

  auto& phases = Histograms(registry, "idv_gateway_upstream_phase_seconds",
                            "Phases of HTTP requests to the upstream, each from the end of the "
                            "one before; total: all of it.");
  const std::array<const char*, 5> phase_names = {"dns", "connect", "tls", "first_byte", "total"};
  for (size_t i = 0; i < phase_names.size(); ++i) {
    request_phases_[i] = &phases.Add({{"phase", phase_names[i]}}, CallBuckets());
  }

  auto& repeats = Counters(registry, "idv_gateway_retries_total",
                           "HTTP requests to the upstream that were repeated, by what came of "
                           "the attempt before.");
  for (const absl::string_view reason : repeated) {
    repeats_[reason] = &repeats.Add({{"reason", Text(reason)}});
  }

  auto& lookups = Counters(registry, "idv_gateway_cache_lookups_total",
                           "Reads by the cache they might have been answered from, and how they "
                           "were answered.");
  for (size_t cache = 0; cache < kCaches.size(); ++cache) {
    for (size_t result = 0; result < kCacheResults.size(); ++result) {
      lookups_[cache][result] =
          &lookups.Add({{"cache", Text(kCaches[cache])}, {"result", Text(kCacheResults[result])}});
    }
  }

  frames_ = &Counters(registry, "idv_gateway_frame_stream_frames_total",
                      "Liveness frames that were sent on to the upstream.")
                 .Add({});
  frame_bytes_ =
      &Counters(registry, "idv_gateway_frame_stream_bytes_total", "Image bytes of those.").Add({});
}

void CallSeries::MakeRpcs(Registry& registry, const std::vector<Rpc>& rpcs) {
  auto& begun = Counters(registry, "grpc_server_started_total", "RPCs begun on the server.");
  auto& ended =
      Counters(registry, "grpc_server_handled_total", "RPCs ended on the server, by status.");
  auto& received =
      Counters(registry, "grpc_server_msg_received_total", "Messages received from callers.");
  auto& sent = Counters(registry, "grpc_server_msg_sent_total", "Messages sent to callers.");
  auto& seconds = Histograms(registry, "grpc_server_handling_seconds",
                             "From an RPC's first byte to its status.");
  auto& requests = Counters(registry, "idv_gateway_upstream_requests_total",
                            "HTTP requests to the upstream, by the answer's status; none: no "
                            "answer.");
  auto& drift = Counters(registry, "idv_gateway_drift_total",
                         "Keys and enum values in the upstream's answers that this version does "
                         "not know.");
  for (const Rpc& rpc : rpcs) {
    const Labels labels = {{"grpc_type", rpc.is_client_stream ? "client_stream" : "unary"},
                           {"grpc_service", rpc.service},
                           {"grpc_method", rpc.method}};
    RpcSeries& series = rpcs_.emplace_back();
    series.is_client_stream = rpc.is_client_stream;
    series.begun = &begun.Add(labels);
    series.received = &received.Add(labels);
    series.sent = &sent.Add(labels);
    series.seconds = &seconds.Add(labels, CallBuckets());
    for (size_t code = 0; code < kCodeNames.size(); ++code) {
      Labels with_code = labels;
      with_code["grpc_code"] = Text(kCodeNames[code]);
      series.ended[code] = &ended.Add(with_code);
    }
    for (size_t i = 0; i < kStatusClasses.size(); ++i) {
      series.requests[i] =
          &requests.Add({{"operation", rpc.method}, {"status_class", Text(kStatusClasses[i])}});
    }
    series.drift[0] = &drift.Add({{"grpc_method", rpc.method}, {"kind", "unknown_key"}});
    series.drift[1] = &drift.Add({{"grpc_method", rpc.method}, {"kind", "unknown_value"}});
  }
}

void CallSeries::MakeFailures(Registry& registry, const std::vector<Reason>& reasons) {
  auto& errors = Counters(registry, "idv_gateway_errors_total",
                          "RPCs that failed, by reason and by whose doing it was.");
  auto& aborted = Counters(registry, "idv_gateway_frame_streams_aborted_total",
                           "Frame streams that ended otherwise than with OK, by reason.");
  const auto add = [&](const Reason& reason) {
    FailureSeries& series = failures_.emplace_back();
    series.reason = reason;
    series.count = &errors.Add({{"reason", Text(reason.name)}, {"blame", Text(reason.blame)}});
    series.aborted_streams = &aborted.Add({{"reason", Text(reason.name)}});
    failure_by_reason_[reason.name] = &series;
  };
  for (const Reason& reason : reasons) add(reason);
  // Codes that take the place of a reason speak of the request.
  add({kOtherReason, "caller"});
}

CallSeries::FailureSeries& CallSeries::SeriesOf(absl::string_view reason) {
  const auto place = failure_by_reason_.find(reason);
  return place == failure_by_reason_.end() ? failures_.back() : *place->second;
}

void CallSeries::Ended(const CallRecord& record) {
  const RpcSeries& rpc = rpcs_[record.rpc];
  rpc.ended[PlaceOfCode(record.code)]->Increment();
  rpc.seconds->Observe(Seconds(record.ended - record.began));
  if (record.received_messages > 0) {
    rpc.received->Increment(static_cast<double>(record.received_messages));
  }
  if (record.code == 0) {
    rpc.sent->Increment();
  } else {
    FailureSeries& failure = SeriesOf(record.reason);
    failure.count->Increment();
    failure.last_at = std::chrono::system_clock::now();
    if (rpc.is_client_stream) failure.aborted_streams->Increment();
  }
  std::chrono::nanoseconds away{};
  for (const auto kind : {CallRecord::Stretch::Kind::kReceive, CallRecord::Stretch::Kind::kWait,
                          CallRecord::Stretch::Kind::kUpstream}) {
    const std::chrono::nanoseconds time = record.TimeOf(kind);
    if (time == std::chrono::nanoseconds(0)) continue;
    away += time;
    stretches_[static_cast<size_t>(kind)]->Observe(Seconds(time));
  }
  if (!rpc.is_client_stream) overhead_->Observe(Seconds(record.ended - record.began - away));
}

void CallSeries::Requested(const Request& request) {
  rpcs_[request.rpc].requests[StatusClassOf(request.http_status)]->Increment();
  const std::array<std::optional<std::chrono::nanoseconds>, 5> phases = {
      request.dns, request.connect, request.tls, request.first_byte, request.total};
  for (size_t i = 0; i < phases.size(); ++i) {
    const std::optional<std::chrono::nanoseconds>& phase = phases[i];
    if (phase) request_phases_[i]->Observe(Seconds(*phase));
  }
}

void CallSeries::Repeated(absl::string_view reason) {
  const auto place = repeats_.find(reason);
  if (place != repeats_.end()) place->second->Increment();
}

void CallSeries::LookedUp(absl::string_view cache, absl::string_view result) {
  const auto place_of = [](const auto& names, absl::string_view name) {
    return static_cast<size_t>(
        std::distance(names.begin(), std::find(names.begin(), names.end(), name)));
  };
  lookups_.at(place_of(kCaches, cache)).at(place_of(kCacheResults, result))->Increment();
}

std::vector<CallSeries::Failures> CallSeries::failures() const {
  std::vector<Failures> failures;
  for (const FailureSeries& series : failures_) {
    const auto count = static_cast<uint64_t>(series.count->Value());
    if (count > 0) failures.push_back({series.reason, count, series.last_at});
  }
  std::sort(failures.begin(), failures.end(),
            [](const Failures& one, const Failures& other) { return one.last_at > other.last_at; });
  return failures;
}

uint64_t CallSeries::handled() const {
  double handled = 0;
  for (const RpcSeries& rpc : rpcs_) {
    for (const Counter* counter : rpc.ended) handled += counter->Value();
  }
  return static_cast<uint64_t>(handled);
}

uint64_t CallSeries::lookups(absl::string_view result) const {
  double lookups = 0;
  for (size_t i = 0; i < kCacheResults.size(); ++i) {
    if (kCacheResults[i] != result) continue;
    for (const auto& of_cache : lookups_) lookups += of_cache[i]->Value();
  }
  return static_cast<uint64_t>(lookups);
}

uint64_t CallSeries::aborted_streams() const {
  double aborted = 0;
  for (const FailureSeries& series : failures_) aborted += series.aborted_streams->Value();
  return static_cast<uint64_t>(aborted);
}

}  // namespace idv
