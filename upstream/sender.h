#pragma once

#include <absl/strings/string_view.h>

#include <memory>

#include "upstream/header_lines.h"

namespace idv {

// In whose name a request is sent: the headers that say so, made once. Immutable, so thread-safe;
// copies share them, and the last one wipes them.
class Sender {
 public:
  // The key must be fit for a header.
  Sender(absl::string_view tenant_id, absl::string_view api_key);

  const HeaderLines& headers() const { return *headers_; }
  // As long as this lives.
  absl::string_view api_key() const;

  bool HasKey(absl::string_view key) const { return api_key() == key; }
  // Whether it is the same one, or a copy.
  bool operator==(const Sender& other) const { return headers_ == other.headers_; }

 private:
  std::shared_ptr<const HeaderLines> headers_;
};

}  // namespace idv
