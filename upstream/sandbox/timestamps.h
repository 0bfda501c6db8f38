#ifndef UPSTREAM_SANDBOX_TIMESTAMPS_H_
#define UPSTREAM_SANDBOX_TIMESTAMPS_H_

#include <chrono>
#include <cstdint>
#include <string>

namespace idv::sandbox {

// Wall-clock time, always handed in: nothing below the server asks a clock itself.
using Time = std::chrono::system_clock::time_point;

// RFC 3339 in UTC with microseconds, e.g. "2026-01-02T03:04:05.000123Z" (upstream-api.md section
// 3).
std::string FormatTime(Time time);

// The form of HTTP headers (RFC 9110, 5.6.7), e.g. "Fri, 02 Jan 2026 03:04:05 GMT".
std::string FormatHttpDate(Time time);

// Milliseconds since the Unix epoch.
std::int64_t UnixMillis(Time time);

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_TIMESTAMPS_H_
