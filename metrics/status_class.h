#pragma once

#include <absl/strings/string_view.h>

#include <array>
#include <cstddef>

namespace idv {

// How answers of the upstream are told apart in metrics. That a limit of requests was reached is
// apart from other 4xx, since it says something else: of the caller's haste, not of its requests.
inline constexpr std::array<absl::string_view, 7> kStatusClasses = {"1xx", "2xx", "3xx", "4xx",
                                                                    "429", "5xx", "none"};

// The place of an HTTP status in kStatusClasses; 0, and what is no HTTP status, is "none".
constexpr size_t StatusClassOf(int http_status) {
  constexpr size_t kNone = 6;
  constexpr size_t kServerError = 5;
  constexpr int kTooManyRequests = 429;
  if (http_status == kTooManyRequests) return 4;
  const int hundreds = http_status / 100;
  if (hundreds == 5) return kServerError;
  return hundreds >= 1 && hundreds <= 4 ? static_cast<size_t>(hundreds - 1) : kNone;
}

}  // namespace idv
