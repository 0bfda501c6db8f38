#include "gateway/verify/file.h"

#include <absl/status/status.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace idv::verify {
namespace {

// Far above what the gateway takes, so that its own refusal can still be seen.
constexpr std::size_t kMaxFileBytes = std::size_t{64} << 20;

absl::Status Unreadable(const std::string& path, const std::string& cause) {
  return absl::InvalidArgumentError("cannot read '" + path + "': " + cause);
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Unreadable(path, std::strerror(errno));

  std::string content;
  std::array<char, 65536> chunk{};
  while (file && content.size() <= kMaxFileBytes) {
    file.read(chunk.data(), chunk.size());
    content.append(chunk.data(), static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad()) return Unreadable(path, std::strerror(errno));
  if (content.empty()) return Unreadable(path, "it is empty");
  if (content.size() > kMaxFileBytes) return Unreadable(path, "it is larger than 64 MiB");
  return content;
}

}  // namespace idv::verify
