#include "upstream/sandbox/duration.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

namespace idv::sandbox {
namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr std::array<std::pair<std::string_view, milliseconds>, 4> kUnits = {
    {{"ms", 1ms}, {"s", 1s}, {"m", 1min}, {"h", 1h}}};

}  // namespace

std::optional<milliseconds> ParseDuration(std::string_view text) {
  std::uint32_t count = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), count);
  if (parsed.ec != std::errc()) return std::nullopt;
  const std::string_view unit = text.substr(static_cast<std::size_t>(parsed.ptr - text.data()));
  for (const auto& [name, length] : kUnits) {
    if (unit != name) continue;
    const milliseconds duration = length * static_cast<std::int64_t>(count);
    if (duration > 24h) return std::nullopt;
    return duration;
  }
  return std::nullopt;
}

}  // namespace idv::sandbox
