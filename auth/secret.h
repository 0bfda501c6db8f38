#pragma once

#include <absl/status/statusor.h>

#include <string>

namespace idv {

// Both read a secret whole, drop one newline at its end, and refuse one that could not stand in an
// HTTP header: empty, longer than 4 KiB, or with other than printable ASCII. Errors name the file
// or variable, never anything of what is in it: kNotFound, kPermissionDenied, kInvalidArgument.
absl::StatusOr<std::string> ReadSecretFile(const std::string& path);

// Also wipes the variable out of the process's environment, where others could read it. Not
// thread-safe; a second reading finds nothing.
absl::StatusOr<std::string> TakeSecretFromEnvironment(const std::string& name);

}  // namespace idv
