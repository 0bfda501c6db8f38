#pragma once

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <chrono>
#include <cstddef>

namespace idv {

// "250ms", "5s", "2m", "24h", "7d": a whole number and a unit. kInvalidArgument for anything else.
absl::StatusOr<std::chrono::milliseconds> ParseDuration(absl::string_view text);

// "256KiB", "8MiB", "1GiB", or a plain number of bytes. kInvalidArgument for anything else.
absl::StatusOr<size_t> ParseSize(absl::string_view text);

}  // namespace idv
