#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <string>

namespace idv {

// All of a file. Errors name it: kNotFound, kPermissionDenied, kInvalidArgument when it has more
// than `max_bytes`, or grows while it is read.
absl::StatusOr<std::string> ReadFile(const std::string& path, size_t max_bytes);

}  // namespace idv
