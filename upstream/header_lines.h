#pragma once

#include <curl/curl.h>
#include <string.h>  // NOLINT: explicit_bzero() is not in <cstring>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace idv {

// Header lines ("Name: value") in the form in which libcurl takes them. Lines that many requests
// have in common are made once and then follow the own ones of each. Immutable, so thread-safe.
// Wiped when they go, since there may be a key in them.
class HeaderLines {
 public:
  // `rest`: what follows, which must outlive this; null for nothing.
  explicit HeaderLines(std::vector<std::string> lines, const HeaderLines* rest = nullptr)
      : lines_(std::move(lines)), nodes_(lines_.size()), rest_(rest) {
    for (size_t i = 0; i < lines_.size(); ++i) {
      nodes_[i].data = lines_[i].data();
      nodes_[i].next = i + 1 < lines_.size() ? &nodes_[i + 1] : FirstOf(rest);
    }
  }
  ~HeaderLines() {
    for (std::string& line : lines_) explicit_bzero(line.data(), line.size());
  }
  HeaderLines(const HeaderLines&) = delete;
  HeaderLines& operator=(const HeaderLines&) = delete;

  // For CURLOPT_HTTPHEADER, which reads only. Null if there are no lines.
  curl_slist* first() const { return nodes_.empty() ? FirstOf(rest_) : &nodes_[0]; }

 private:
  static curl_slist* FirstOf(const HeaderLines* lines) {
    return lines == nullptr ? nullptr : lines->first();
  }

  std::vector<std::string> lines_;
  mutable std::vector<curl_slist> nodes_;  // libcurl's types know no const
  const HeaderLines* rest_;
};

}  // namespace idv
