#include "auth/secret.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "auth/read_file.h"

namespace idv {
namespace {

constexpr size_t kMaxSecretBytes = 4096;

absl::StatusOr<std::string> Check(std::string secret, const std::string& where) {
  if (!secret.empty() && secret.back() == '\n') secret.pop_back();
  if (secret.empty()) return absl::InvalidArgumentError(absl::StrCat(where, " is empty"));
  if (secret.size() > kMaxSecretBytes) {
    return absl::InvalidArgumentError(absl::StrCat(where, " is longer than 4096 bytes"));
  }
  const bool printable = std::all_of(secret.begin(), secret.end(), [](char c) {
    return absl::ascii_isgraph(static_cast<unsigned char>(c));
  });
  if (!printable) {
    return absl::InvalidArgumentError(
        absl::StrCat(where, " holds a blank, a line break or a character beyond ASCII"));
  }
  return secret;
}

}  // namespace

absl::StatusOr<std::string> ReadSecretFile(const std::string& path) {
  absl::StatusOr<std::string> secret = ReadFile(path, kMaxSecretBytes + 1);  // and a newline
  if (!secret.ok()) return secret.status();
  return Check(*std::move(secret), path);
}

absl::StatusOr<std::string> TakeSecretFromEnvironment(const std::string& name) {
  const std::string where = absl::StrCat("the environment variable ", name);
  char* const value = std::getenv(name.c_str());
  if (value == nullptr) return absl::NotFoundError(absl::StrCat(where, " is not set"));
  std::string secret(value);
  std::memset(value, 0, secret.size());
  unsetenv(name.c_str());
  return Check(std::move(secret), where);
}

}  // namespace idv
