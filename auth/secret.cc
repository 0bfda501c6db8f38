#include "auth/secret.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <utility>

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
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string secret(kMaxSecretBytes + 2, '\0');
  // A directory opens, but cannot be read.
  if (!file || !file.read(secret.data(), static_cast<std::streamsize>(secret.size())).eof()) {
    const int error = errno;
    if (file) return absl::InvalidArgumentError(absl::StrCat(path, " is longer than 4096 bytes"));
    const std::string what = absl::StrCat(path, " cannot be read: ", std::strerror(error));
    return error == EACCES ? absl::PermissionDeniedError(what) : absl::NotFoundError(what);
  }
  secret.resize(static_cast<size_t>(file.gcount()));
  return Check(std::move(secret), path);
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
