#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "metrics/trace_context.h"

namespace idv {

// Something that took time and has ended, as a part of a trace. Never give it personal data, keys,
// or a URL of the upstream.
struct Span {
  // Who waited for whom: kServer was asked by another service, kClient asked one.
  enum class Kind { kInternal, kServer, kClient };
  using Value = std::variant<std::string, int64_t, bool>;

  TraceId trace_id{};
  SpanId span_id{};
  std::optional<SpanId> parent_span_id;  // none in the first span of a trace
  std::string name;
  Kind kind = Kind::kInternal;
  std::chrono::system_clock::time_point begin;
  std::chrono::nanoseconds duration{0};
  std::vector<std::pair<std::string, Value>> attributes;
  bool is_error = false;
  std::string status_text;  // of an error
};

}  // namespace idv
