#include "auth/secret.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/strip.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <cstdlib>

#include "auth/read_file.h"

namespace idv {
namespace {

constexpr size_t kMaxSecretBytes = 4096;

}  // namespace

void Wipe(std::string& text) {
  text.resize(text.capacity());  // what a longer one has left
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

absl::StatusOr<Secret> CheckedSecret(std::string text, absl::string_view where) {
  Secret secret(std::move(text));
  absl::string_view value = secret.value();
  absl::ConsumeSuffix(&value, "\n");
  if (value.empty()) return absl::InvalidArgumentError(absl::StrCat(where, " is empty"));
  if (value.size() > kMaxSecretBytes) {
    return absl::InvalidArgumentError(absl::StrCat(where, " is longer than 4096 bytes"));
  }
  const bool printable = std::all_of(value.begin(), value.end(), [](char c) {
    return absl::ascii_isgraph(static_cast<unsigned char>(c));
  });
  if (!printable) {
    return absl::InvalidArgumentError(
        absl::StrCat(where, " holds a blank, a line break or a character beyond ASCII"));
  }
  return Secret(std::string(value));
}

absl::StatusOr<Secret> ReadSecretFile(const std::string& path) {
  absl::StatusOr<std::string> text = ReadFile(path, kMaxSecretBytes + 1);  // and a newline
  if (!text.ok()) return text.status();
  return CheckedSecret(*std::move(text), path);
}

absl::StatusOr<Secret> TakeSecretFromEnvironment(const std::string& name) {
  const std::string where = absl::StrCat("the environment variable ", name);
  char* const value = std::getenv(name.c_str());
  if (value == nullptr) return absl::NotFoundError(absl::StrCat(where, " is not set"));
  std::string text(value);
  OPENSSL_cleanse(value, text.size());
  unsetenv(name.c_str());
  return CheckedSecret(std::move(text), where);
}

}  // namespace idv
