#include "gateway/verify/text.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_format.h>

#include <algorithm>

namespace idv::verify {
namespace {

constexpr std::size_t kKibi = 1024;
constexpr std::size_t kMebi = kKibi * 1024;

}  // namespace

std::string OneLine(const std::string& text) {
  std::string line;
  for (const char character : text) {
    const bool printable = character >= ' ' && character <= '~';
    line += printable ? std::string(1, character) : absl::CHexEscape(std::string(1, character));
  }
  return line;
}

std::string Score(double score) { return absl::StrFormat("%.1f", score); }

std::string ExactSize(std::size_t bytes) {
  if (bytes >= kMebi && bytes % kMebi == 0) return absl::StrFormat("%d MiB", bytes / kMebi);
  if (bytes >= kKibi && bytes % kKibi == 0) return absl::StrFormat("%d KiB", bytes / kKibi);
  return absl::StrFormat("%d byte%s", bytes, bytes == 1 ? "" : "s");
}

std::string RoughSize(double bytes) {
  if (bytes >= kMebi) return absl::StrFormat("%.1f MiB", bytes / kMebi);
  return absl::StrFormat("%.1f KiB", bytes / kKibi);
}

bool FitsMetadata(const std::string& text) {
  return !text.empty() && text.front() != ' ' && text.back() != ' ' &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace idv::verify
