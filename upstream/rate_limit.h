#pragma once

#include <chrono>
#include <optional>

#include "upstream/http_client.h"

namespace idv {

// What an answer of the upstream says of how many more it will give. The upstream sends the headers
// with every answer (its documentation, reference/rate-limits).
struct RateLimitNotice {
  // X-RateLimit-Limit: requests a minute.
  std::optional<int> limit;
  // X-RateLimit-Remaining: of the window that X-RateLimit-Reset is the end of.
  std::optional<int> remaining;
  // X-RateLimit-Reset, in Unix time by the upstream's clock: tells windows from each other.
  std::optional<std::chrono::seconds> reset;
  // How far off that is, give or take a second, by the answer's Date. Nothing without one: our
  // clock may differ from the upstream's by more than a window is long.
  std::optional<std::chrono::seconds> reset_in;
  // Retry-After.
  std::optional<std::chrono::milliseconds> retry_after;
  // The request was refused because there were too many.
  bool is_refused = false;
};

// The headers of `response`; what is no number in them says nothing. Leaves is_refused to who knows
// what a 429 means. `now` takes the place of a Date that is not there for a date in Retry-After.
RateLimitNotice ReadRateLimit(const HttpResponse& response,
                              std::chrono::system_clock::time_point now);

// When the answer was sent, by its Date, if it has one.
std::optional<std::chrono::system_clock::time_point> SentAt(const HttpResponse& response);

}  // namespace idv
