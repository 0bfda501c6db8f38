#include "upstream/sandbox/target.h"

#include <charconv>

namespace idv::sandbox {
namespace {

// Takes the part of `rest` before the next separator away from it.
std::string_view NextPart(std::string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  const std::string_view part = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return part;
}

}  // namespace

std::optional<std::string> PercentDecode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const std::string_view digits = text.substr(i + 1, 2);
    unsigned char byte = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (digits.size() != 2 || parsed.ptr != digits.data() + 2) return std::nullopt;
    decoded += static_cast<char>(byte);
    i += 2;
  }
  return decoded;
}

std::optional<std::string_view> PathBelowBase(std::string_view path) {
  for (const std::string_view base : {"/api/v1/idv/api/v1", "/api/v1/idv", "/api/v1"}) {
    if (path.substr(0, base.size()) != base) continue;
    const std::string_view below = path.substr(base.size());
    if (below.empty() || below.front() == '/') return below;
  }
  return std::nullopt;
}

std::optional<std::vector<std::string>> Segments(std::string_view path) {
  std::vector<std::string> segments;
  if (!path.empty() && path.front() == '/') path.remove_prefix(1);
  while (true) {
    const bool last = path.find('/') == std::string_view::npos;
    auto segment = PercentDecode(NextPart(path, '/'));
    if (!segment) return std::nullopt;
    segments.push_back(std::move(*segment));
    if (last) return segments;
  }
}

std::optional<std::string> QueryValue(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    std::string_view value = NextPart(query, '&');
    const auto key = PercentDecode(NextPart(value, '='));
    if (key != name) continue;
    return PercentDecode(value);
  }
  return std::nullopt;
}

}  // namespace idv::sandbox
