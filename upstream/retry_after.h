#pragma once

#include <absl/strings/string_view.h>

#include <chrono>
#include <optional>

namespace idv {

// How long to wait, from a Retry-After header: seconds or an HTTP date (RFC 9110, 10.2.3). At least
// nothing, at most a day. Nothing for any other text. `now` is for dates.
std::optional<std::chrono::milliseconds> ParseRetryAfter(absl::string_view text,
                                                         std::chrono::system_clock::time_point now);

// The wait of so many seconds, within the same bounds; nothing for a number that is not finite.
std::optional<std::chrono::milliseconds> RetryAfterSeconds(double seconds);

}  // namespace idv
