#ifndef UPSTREAM_SANDBOX_DURATION_H_
#define UPSTREAM_SANDBOX_DURATION_H_

#include <chrono>
#include <optional>
#include <string_view>

namespace idv::sandbox {

// "50ms", "5s", "2m" or "1h": a whole number, at most 24 hours. Nothing for any other text.
std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text);

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_DURATION_H_
