#pragma once

#include <absl/strings/string_view.h>

#include <array>
#include <cstddef>

namespace idv {

// gRPC's status codes by number, as go-grpc-prometheus writes them, which dashboards know.
inline constexpr std::array<absl::string_view, 17> kCodeNames = {
    "OK",       "Canceled",       "Unknown",          "InvalidArgument",   "DeadlineExceeded",
    "NotFound", "AlreadyExists",  "PermissionDenied", "ResourceExhausted", "FailedPrecondition",
    "Aborted",  "OutOfRange",     "Unimplemented",    "Internal",          "Unavailable",
    "DataLoss", "Unauthenticated"};

// The place of a code in kCodeNames; what is none is "Unknown".
constexpr size_t PlaceOfCode(int code) {
  constexpr size_t kUnknown = 2;
  const auto place = static_cast<size_t>(code);
  return place < kCodeNames.size() ? place : kUnknown;
}

}  // namespace idv
