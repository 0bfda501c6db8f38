#include "gateway/verify/text.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_format.h>

#include <algorithm>

namespace idv::verify {

std::string OneLine(const std::string& text) {
  std::string line;
  for (const char character : text) {
    const bool printable = character >= ' ' && character <= '~';
    line += printable ? std::string(1, character) : absl::CHexEscape(std::string(1, character));
  }
  return line;
}

std::string Score(double score) { return absl::StrFormat("%.1f", score); }

bool FitsMetadata(const std::string& text) {
  return !text.empty() && text.front() != ' ' && text.back() != ' ' &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace idv::verify
