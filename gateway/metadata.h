#pragma once

#include <absl/status/statusor.h>
#include <grpcpp/grpcpp.h>

#include <string>

#include "upstream/budget.h"

namespace idv {

// The caller's `x-request-id` if it is usable (1 to 128 printable characters without blanks), else
// a new random one.
std::string RequestIdOf(const grpc::ServerContext& context);

// Where the caller's own work is in a trace, as it says; both empty if it does not. A header that
// is there twice counts as broken. Borrows the context.
struct TraceHeaders {
  absl::string_view traceparent;
  absl::string_view tracestate;
};
TraceHeaders TraceHeadersOf(const grpc::ServerContext& context);

// The tenant that the caller names in `x-idv-tenant`; empty when it names none. TENANT_REQUIRED: it
// names several.
absl::StatusOr<std::string> AskedTenantOf(const grpc::ServerContext& context);

// How urgent the call is, by `x-idv-priority`: "interactive", which it is without one, or "batch".
// INVALID_FIELD for anything else.
absl::StatusOr<Budget::Priority> PriorityOf(const grpc::ServerContext& context);

}  // namespace idv
