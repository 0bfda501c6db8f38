#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/strings/string_view.h>
#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "metrics/call_record.h"
#include "metrics/code_name.h"
#include "metrics/status_class.h"

namespace idv {

// The series that calls feed, all made in the beginning, so that nothing that a caller or the
// upstream sends can make another one. Those of RPCs have the names and labels of
// go-grpc-prometheus, which dashboards know. Thread-safe.
class CallSeries {
 public:
  struct Rpc {
    std::string service;  // full name
    std::string method;
    bool is_client_stream = false;
  };

  // Why calls fail, and whose doing it is.
  struct Reason {
    absl::string_view name;
    absl::string_view blame;
  };

  // One HTTP request to the upstream.
  struct Request {
    size_t rpc = 0;
    int http_status = 0;  // 0: no answer
    // Each from the end of the one before; those of a connection are missing when an open one was
    // used, and what was not reached is missing.
    std::optional<std::chrono::nanoseconds> dns;
    std::optional<std::chrono::nanoseconds> connect;
    std::optional<std::chrono::nanoseconds> tls;
    std::optional<std::chrono::nanoseconds> first_byte;
    std::chrono::nanoseconds total{};  // from beginning to end
  };

  // How often calls failed so, and when last; for a page.
  struct Failures {
    Reason reason;
    uint64_t count = 0;
    std::chrono::system_clock::time_point last_at;
  };

  // The reason under which those are counted that are not among `reasons`: error codes of the
  // upstream that are not documented.
  static constexpr absl::string_view kOtherReason = "UPSTREAM_OTHER";

  // Borrows the registry. `repeated`: why requests to the upstream are repeated.
  CallSeries(prometheus::Registry& registry, const std::vector<Rpc>& rpcs,
             const std::vector<Reason>& reasons, const std::vector<absl::string_view>& repeated);

  // The reason under which failures with this one are counted: itself, or kOtherReason.
  absl::string_view Known(absl::string_view reason) { return SeriesOf(reason).reason.name; }

  // A call has begun.
  void Begun(size_t rpc) { rpcs_[rpc].begun->Increment(); }
  void Ended(const CallRecord& record);
  void Requested(const Request& request);
  // A request will be repeated, since the one before failed so.
  void Repeated(absl::string_view reason);
  // A read was answered from `cache` ("reference", "verification" or "none").
  void LookedUp(absl::string_view cache, absl::string_view result);
  // A frame stream has sent on one frame of so many bytes.
  void FrameSent(size_t bytes) {
    frames_->Increment();
    frame_bytes_->Increment(static_cast<double>(bytes));
  }
  void Drifted(size_t rpc, bool is_value) { rpcs_[rpc].drift[is_value ? 1 : 0]->Increment(); }

  // Those that there were, the latest first.
  std::vector<Failures> failures() const;
  // Of the calls that have ended.
  uint64_t handled() const;
  // By results, in the order of kCacheResults.
  static constexpr std::array<absl::string_view, 4> kCacheResults = {"hit", "stale", "miss",
                                                                     "joined"};
  uint64_t lookups(absl::string_view result) const;
  uint64_t frames() const { return static_cast<uint64_t>(frames_->Value()); }
  uint64_t frame_bytes() const { return static_cast<uint64_t>(frame_bytes_->Value()); }
  uint64_t aborted_streams() const;

 private:
  static constexpr std::array<absl::string_view, 3> kCaches = {"reference", "verification", "none"};

  struct RpcSeries {
    prometheus::Counter* begun;
    prometheus::Counter* received;
    prometheus::Counter* sent;
    prometheus::Histogram* seconds;
    std::array<prometheus::Counter*, kCodeNames.size()> ended;
    std::array<prometheus::Counter*, kStatusClasses.size()> requests;
    std::array<prometheus::Counter*, 2> drift;
    bool is_client_stream;
  };
  struct FailureSeries {
    Reason reason;
    prometheus::Counter* count;
    prometheus::Counter* aborted_streams;
    std::atomic<std::chrono::system_clock::time_point> last_at;
  };

  void MakeRpcs(prometheus::Registry& registry, const std::vector<Rpc>& rpcs);
  void MakeFailures(prometheus::Registry& registry, const std::vector<Reason>& reasons);
  FailureSeries& SeriesOf(absl::string_view reason);

  std::vector<RpcSeries> rpcs_;
  std::deque<FailureSeries> failures_;  // the last one is kOtherReason
  absl::flat_hash_map<absl::string_view, FailureSeries*> failure_by_reason_;
  absl::flat_hash_map<absl::string_view, prometheus::Counter*> repeats_;
  std::array<std::array<prometheus::Counter*, kCacheResults.size()>, kCaches.size()> lookups_{};
  std::array<prometheus::Histogram*, 3> stretches_{};
  prometheus::Histogram* overhead_;
  std::array<prometheus::Histogram*, 5> request_phases_{};
  prometheus::Counter* frames_;
  prometheus::Counter* frame_bytes_;
};

}  // namespace idv
