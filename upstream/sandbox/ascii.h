#ifndef UPSTREAM_SANDBOX_ASCII_H_
#define UPSTREAM_SANDBOX_ASCII_H_

#include <algorithm>
#include <string>
#include <string_view>

namespace idv::sandbox {

// Letter case in ASCII, whatever the locale.
inline char ToLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

inline std::string ToLower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = ToLower(c);
  return lower;
}

inline bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return ToLower(x) == ToLower(y); });
}

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_ASCII_H_
