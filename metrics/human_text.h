#pragma once

#include <absl/strings/string_view.h>
#include <absl/time/time.h>

#include <string>

namespace idv {

// Text for people, to be put into HTML. Between a number and its unit stands a no-break space.

// What means something in HTML is written as references, control characters as U+FFFD.
std::string Escaped(absl::string_view text);

// "12,345".
std::string CountText(double count);

// "512 B", "1.5 KiB", "256 MiB".
std::string BytesText(double bytes);

// The two greatest units: "3 h 12 min", "45 s", "0.1 ms".
std::string DurationText(absl::Duration duration);

// "3 h 12 min ago", "in 12 d", "just now".
std::string AgeText(absl::Time time, absl::Time now);

// "2026-03-01 03:12:45 UTC".
std::string ExactText(absl::Time time);

}  // namespace idv
