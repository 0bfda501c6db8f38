#include "metrics/human_text.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

#include <array>
#include <cmath>
#include <cstdint>

namespace idv {
namespace {

// From here on nobody asks for seconds.
constexpr absl::Duration kLongAge = absl::Minutes(10);

// With one decimal below ten, unless that is a zero.
std::string Rounded(double number) {
  const double tenths = std::round(number * 10);
  const bool has_decimal = tenths < 100 && std::fmod(tenths, 10) != 0;
  return has_decimal ? absl::StrFormat("%.1f", number) : CountText(number);
}

struct Unit {
  absl::Duration size;
  const char* name;
};
const std::array<Unit, 4> kUnits = {Unit{absl::Hours(24), "d"}, Unit{absl::Hours(1), "h"},
                                    Unit{absl::Minutes(1), "min"}, Unit{absl::Seconds(1), "s"}};

std::string WithUnit(std::int64_t number, const char* unit) {
  return absl::StrCat(CountText(static_cast<double>(number)), "\u00a0", unit);
}

}  // namespace

std::string Escaped(absl::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        const bool is_control = static_cast<unsigned char>(c) < ' ' || c == '\x7f';
        is_control ? escaped += "\ufffd" : escaped += c;
    }
  }
  return escaped;
}

std::string CountText(double count) {
  const std::string digits = absl::StrFormat("%.0f", count);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const bool follows_digit = i > 0 && digits[i - 1] != '-';
    if (follows_digit && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string BytesText(double bytes) {
  constexpr std::array<const char*, 5> kNames = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t name = 0;
  for (; std::round(bytes) >= 1024 && name + 1 < kNames.size(); ++name) bytes /= 1024;
  return absl::StrCat(Rounded(bytes), "\u00a0", kNames[name]);
}

std::string DurationText(absl::Duration duration) {
  if (duration < absl::ZeroDuration()) return absl::StrCat("-", DurationText(-duration));
  if (duration == absl::ZeroDuration()) return WithUnit(0, "s");
  if (duration < absl::Seconds(1)) {
    return absl::StrCat(Rounded(absl::ToDoubleMilliseconds(duration)), "\u00a0ms");
  }
  if (duration < absl::Seconds(10)) {
    return absl::StrCat(Rounded(absl::ToDoubleSeconds(duration)), "\u00a0s");
  }
  std::size_t unit = 0;
  while (duration < kUnits[unit].size) ++unit;
  const std::int64_t great = absl::IDivDuration(duration, kUnits[unit].size, &duration);
  std::string text = WithUnit(great, kUnits[unit].name);
  if (++unit == kUnits.size()) return text;
  const std::int64_t small = absl::IDivDuration(duration, kUnits[unit].size, &duration);
  return small == 0 ? text : absl::StrCat(text, " ", WithUnit(small, kUnits[unit].name));
}

std::string AgeText(absl::Time time, absl::Time now) {
  absl::Duration age = absl::Trunc(now - time, absl::Seconds(1));
  if (absl::AbsDuration(age) >= kLongAge) age = absl::Trunc(age, absl::Minutes(1));
  if (age == absl::ZeroDuration()) return "just now";
  return age > absl::ZeroDuration() ? absl::StrCat(DurationText(age), "\u00a0ago")
                                    : absl::StrCat("in\u00a0", DurationText(-age));
}

std::string ExactText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", time, absl::UTCTimeZone());
}

}  // namespace idv
