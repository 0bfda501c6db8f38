#pragma once

#include <absl/status/statusor.h>

#include <string>

namespace idv::verify {

// The whole content of a file or pipe, never empty. Errors name the path and the cause:
//   kInvalidArgument  it cannot be read, is empty, or is larger than 64 MiB
absl::StatusOr<std::string> ReadFile(const std::string& path);

}  // namespace idv::verify
