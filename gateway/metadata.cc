#include "gateway/metadata.h"

#include <absl/random/random.h>
#include <absl/strings/ascii.h>
#include <absl/strings/str_format.h>

#include <algorithm>
#include <iterator>

#include "upstream/failure.h"

namespace idv {
namespace {

constexpr size_t kMaxRequestIdBytes = 128;

bool IsUsable(const grpc::string_ref& id) {
  return !id.empty() && id.size() <= kMaxRequestIdBytes &&
         std::all_of(id.begin(), id.end(),
                     [](char c) { return absl::ascii_isgraph(static_cast<unsigned char>(c)); });
}

}  // namespace

std::string RequestIdOf(const grpc::ServerContext& context) {
  const auto& metadata = context.client_metadata();
  const auto given = metadata.find("x-request-id");
  if (given != metadata.end() && IsUsable(given->second)) {
    return {given->second.data(), given->second.size()};
  }
  thread_local absl::BitGen random;
  return absl::StrFormat("%016x%016x", absl::Uniform<uint64_t>(random),
                         absl::Uniform<uint64_t>(random));
}

TraceHeaders TraceHeadersOf(const grpc::ServerContext& context) {
  const auto only = [&](const char* name) -> absl::string_view {
    const auto [first, last] = context.client_metadata().equal_range(name);
    if (first == last || std::next(first) != last) return "";
    return {first->second.data(), first->second.size()};
  };
  const absl::string_view traceparent = only("traceparent");
  if (traceparent.empty()) return {};
  return {traceparent, only("tracestate")};
}

absl::StatusOr<std::string> AskedTenantOf(const grpc::ServerContext& context) {
  const auto [first, last] = context.client_metadata().equal_range("x-idv-tenant");
  if (first == last) return "";
  if (std::next(first) != last) {
    return Fail(reason::kTenantRequired, "x-idv-tenant is given more than once; name one tenant");
  }
  return std::string(first->second.data(), first->second.size());
}

absl::StatusOr<Budget::Priority> PriorityOf(const grpc::ServerContext& context) {
  const auto [first, last] = context.client_metadata().equal_range("x-idv-priority");
  if (first == last) return Budget::Priority::kInteractive;
  const bool is_single = std::next(first) == last;
  if (is_single && first->second == "interactive") return Budget::Priority::kInteractive;
  if (is_single && first->second == "batch") return Budget::Priority::kBatch;
  return Fail(reason::kInvalidField, "x-idv-priority: expected interactive or batch, once");
}

}  // namespace idv
