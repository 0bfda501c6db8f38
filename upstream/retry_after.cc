#include "upstream/retry_after.h"

#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>
#include <curl/curl.h>

#include <algorithm>
#include <cmath>
#include <string>

namespace idv {

std::optional<std::chrono::milliseconds> RetryAfterSeconds(double seconds) {
  constexpr double kDay = 24 * 60 * 60;
  if (!std::isfinite(seconds)) return std::nullopt;
  return std::chrono::milliseconds(std::llround(std::clamp(seconds, 0.0, kDay) * 1000));
}

std::optional<std::chrono::milliseconds> ParseRetryAfter(
    absl::string_view text, std::chrono::system_clock::time_point now) {
  text = absl::StripAsciiWhitespace(text);
  const bool is_number = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '.';
  });
  double seconds = 0;
  if (is_number) {
    return absl::SimpleAtod(text, &seconds) ? RetryAfterSeconds(seconds) : std::nullopt;
  }
  // curl_getdate() takes free texts too; a date has a day, a month, a year and a time.
  if (text.size() < sizeof "06 Nov 1994 08:49:37") return std::nullopt;
  const time_t date = curl_getdate(std::string(text).c_str(), nullptr);
  if (date == -1) return std::nullopt;
  // Not as a time of system_clock, whose nanoseconds end in the year 2262.
  const std::chrono::duration<double> since_epoch = now.time_since_epoch();
  return RetryAfterSeconds(static_cast<double>(date) - since_epoch.count());
}

}  // namespace idv
