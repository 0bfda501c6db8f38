#pragma once

#include <absl/strings/string_view.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace idv {

// Reads the values of a configuration and gathers what is wrong with them: each problem one line,
// the path of the value and what was expected. A value that is wrong counts as nothing.
class ConfigChecks {
 public:
  static constexpr int kMaxCount = 1'000'000;

  // Borrows `problems`.
  explicit ConfigChecks(std::vector<std::string>& problems) : problems_(problems) {}

  void Check(bool holds, absl::string_view path, absl::string_view expectation);

  // 1 to kMaxCount.
  int Count(const std::string& path, int count);
  // `least` to 20 days.
  std::chrono::milliseconds Duration(
      const std::string& path, const std::string& text,
      std::chrono::milliseconds least = std::chrono::milliseconds(1));
  // In bytes, 1 KiB to `largest`.
  size_t Size(const std::string& path, const std::string& text, size_t largest = size_t{1} << 30);

 private:
  std::vector<std::string>& problems_;
};

}  // namespace idv
