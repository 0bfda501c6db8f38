#include "gateway/config_checks.h"

#include <absl/strings/str_cat.h>

#include "gateway/quantity.h"

namespace idv {

using std::chrono::milliseconds;

void ConfigChecks::Check(bool holds, absl::string_view path, absl::string_view expectation) {
  if (!holds) problems_.push_back(absl::StrCat(path, ": ", expectation));
}

int ConfigChecks::Count(const std::string& path, int count) {
  Check(count >= 1 && count <= kMaxCount, path, "expected 1 to 1000000");
  return count;
}

milliseconds ConfigChecks::Duration(const std::string& path, const std::string& text,
                                    milliseconds least) {
  constexpr auto kLongest = std::chrono::hours(24 * 20);  // gRPC takes 31 bits of milliseconds
  const auto duration = ParseDuration(text);
  Check(duration.ok(), path, duration.ok() ? "" : duration.status().message());
  if (!duration.ok()) return {};
  Check(*duration >= least && *duration <= kLongest, path,
        absl::StrCat("expected ", least.count(), "ms to 480h"));
  return *duration;
}

size_t ConfigChecks::Size(const std::string& path, const std::string& text, size_t largest) {
  const auto size = ParseSize(text);
  Check(size.ok(), path, size.ok() ? "" : size.status().message());
  if (!size.ok()) return 0;
  Check(*size >= 1024 && *size <= largest, path,
        absl::StrCat("expected 1KiB to ", largest >> 30, "GiB"));
  return *size;
}

}  // namespace idv
