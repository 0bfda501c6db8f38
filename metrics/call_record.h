#pragma once

#include <absl/strings/string_view.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "metrics/trace_context.h"

namespace idv {

// What one RPC was, from its first byte to its status: what metrics, the access log and traces are
// told of it, so that all of them say the same. Texts are borrowed. Nothing in it is personal.
struct CallRecord {
  using Clock = std::chrono::steady_clock;

  // A part of its time that was not the gateway's own work.
  struct Stretch {
    enum class Kind {
      kReceive,   // the caller's message came
      kWait,      // for the allowance, for a key, or before a repeat
      kUpstream,  // a request was under way
    };
    Kind kind = Kind::kWait;
    Clock::time_point began;
    Clock::time_point ended;
    int http_status = 0;  // of kUpstream; 0: there was no answer
    SpanId span_id{};     // zeros: any
  };

  // The place of its method among those that there are.
  size_t rpc = 0;
  Clock::time_point began;
  Clock::time_point ended;
  // In the order of their beginnings; they may overlap.
  std::vector<Stretch> stretches;

  // Its own span, and the one that it is a part of.
  TraceContext trace;
  std::optional<SpanId> parent_span_id;

  absl::string_view request_id;
  absl::string_view caller;    // empty: unknown
  absl::string_view tenant;    // empty: for none, or not known which
  absl::string_view priority;  // "interactive" or "batch"

  // Of gRPC; 0: it succeeded, and there is no reason and no blame.
  int code = 0;
  absl::string_view reason;  // one of those that are known
  absl::string_view blame;
  // The upstream's last answer; 0: none.
  int http_status = 0;
  // HTTP requests that were made for it.
  int attempts = 0;
  // Where a read was answered from: "hit", "stale", "miss" or "joined"; empty: it is none.
  absl::string_view cache;

  // Messages, without gRPC's framing.
  uint64_t received_messages = 0;
  uint64_t received_bytes = 0;
  uint64_t sent_bytes = 0;

  std::chrono::nanoseconds TimeOf(Stretch::Kind kind) const {
    std::chrono::nanoseconds time{};
    for (const Stretch& stretch : stretches) {
      if (stretch.kind == kind) time += stretch.ended - stretch.began;
    }
    return time;
  }
};

}  // namespace idv
