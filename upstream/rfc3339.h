#pragma once

#include <absl/strings/string_view.h>
#include <google/protobuf/timestamp.pb.h>

#include <optional>

namespace idv {

// Reads an RFC 3339 time with any offset and any number of fraction digits (those beyond
// nanoseconds are cut). `T` and `Z` may be lower case, `T` may be a blank. Nothing for anything
// else, and outside the years 1 to 9999.
std::optional<google::protobuf::Timestamp> ParseRfc3339(absl::string_view text);

}  // namespace idv
