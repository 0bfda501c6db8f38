#pragma once

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <string>
#include <utility>

namespace idv {

// Overwrites the text and makes it empty.
void Wipe(std::string& text);

// A text that is wiped when it goes.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(Secret&& other) noexcept : value_(std::move(other.value_)) { Wipe(other.value_); }
  Secret& operator=(Secret&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Secret() { Wipe(value_); }

  const std::string& value() const { return value_; }

 private:
  std::string value_;
};

// A secret without one newline at its end, if it can stand in an HTTP header: not empty, at most 4
// KiB, of printable ASCII only. kInvalidArgument: what is wrong with it, as of `where`, and nothing
// of what is in it.
absl::StatusOr<Secret> CheckedSecret(std::string text, absl::string_view where);

// Read a secret whole. Errors name the file or variable, never anything of what is in it:
// kNotFound, kPermissionDenied, kInvalidArgument.
absl::StatusOr<Secret> ReadSecretFile(const std::string& path);

// Also wipes the variable out of the process's environment, where others could read it. Not
// thread-safe; a second reading finds nothing.
absl::StatusOr<Secret> TakeSecretFromEnvironment(const std::string& name);

}  // namespace idv
