#include "auth/read_file.h"

#include <absl/strings/str_cat.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace idv {

absl::StatusOr<std::string> ReadFile(const std::string& path, size_t max_bytes) {
  std::error_code no_size;
  const uintmax_t size = std::filesystem::file_size(path, no_size);
  const size_t expected = no_size ? max_bytes : std::min<uintmax_t>(size, max_bytes);
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string buffer(expected + 1, '\0');
  // A directory opens, but cannot be read.
  if (!file || !file.read(buffer.data(), static_cast<std::streamsize>(buffer.size())).eof()) {
    const int error = errno;
    if (file) {
      return absl::InvalidArgumentError(
          expected < max_bytes ? absl::StrCat(path, " is being written")
                               : absl::StrCat(path, " is longer than ", max_bytes, " bytes"));
    }
    const std::string what = absl::StrCat(path, " cannot be read: ", std::strerror(error));
    return error == EACCES ? absl::PermissionDeniedError(what) : absl::NotFoundError(what);
  }
  std::string text(buffer, 0, static_cast<size_t>(file.gcount()));
  OPENSSL_cleanse(buffer.data(), text.size());  // it may be a secret
  return text;
}

}  // namespace idv
