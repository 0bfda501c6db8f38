#include "gateway/quantity.h"

#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

#include <array>
#include <cstdint>
#include <limits>
#include <optional>

namespace idv {
namespace {

struct Unit {
  absl::string_view name;
  int64_t factor;
};

constexpr int64_t kSecond = 1000;
constexpr int64_t kKibi = 1024;
constexpr std::array kDurationUnits = {Unit{"ms", 1}, Unit{"s", kSecond}, Unit{"m", 60 * kSecond},
                                       Unit{"h", 3600 * kSecond}, Unit{"d", 24 * (3600 * kSecond)}};
constexpr std::array kSizeUnits = {Unit{"", 1}, Unit{"KiB", kKibi}, Unit{"MiB", kKibi* kKibi},
                                   Unit{"GiB", kKibi* kKibi* kKibi}};

template <size_t N>
std::optional<int64_t> Parse(absl::string_view text, const std::array<Unit, N>& units) {
  size_t digits = 0;
  while (digits < text.size() && absl::ascii_isdigit(static_cast<unsigned char>(text[digits]))) {
    ++digits;
  }
  int64_t number = 0;
  if (!absl::SimpleAtoi(text.substr(0, digits), &number)) return std::nullopt;
  for (const Unit& unit : units) {
    if (text.substr(digits) != unit.name) continue;
    if (number > std::numeric_limits<int64_t>::max() / unit.factor) return std::nullopt;
    return number * unit.factor;
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<std::chrono::milliseconds> ParseDuration(absl::string_view text) {
  if (const auto milliseconds = Parse(text, kDurationUnits)) {
    return std::chrono::milliseconds(*milliseconds);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("'", text, "' is no duration; expected a whole number and ms, s, m, h or d"));
}

absl::StatusOr<size_t> ParseSize(absl::string_view text) {
  if (const auto bytes = Parse(text, kSizeUnits)) return static_cast<size_t>(*bytes);
  return absl::InvalidArgumentError(absl::StrCat(
      "'", text, "' is no size; expected a whole number, alone or with KiB, MiB or GiB"));
}

}  // namespace idv
