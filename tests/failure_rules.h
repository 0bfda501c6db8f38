#pragma once

#include <absl/status/status.h>
#include <grpcpp/grpcpp.h>

#include <optional>
#include <string>

namespace idv {

// What every failed call must look like to its caller, whatever went wrong (README, "Errors"): one
// code, a message and details within their bounds, one ErrorInfo with a reason, a BadRequest only
// where the request is wrong, a RetryInfo and the trailer `grpc-retry-pushback-ms` that agree.
// Returns what is not so; empty: all is.
std::string CheckFailure(const grpc::Status& status, const std::optional<std::string>& pushback);

// The same for a failure that is still to be sent.
std::string CheckFailure(const absl::Status& failure);

// Whether `text` shows anywhere in what the caller sees.
bool Shows(const grpc::Status& status, const std::string& text);

}  // namespace idv
