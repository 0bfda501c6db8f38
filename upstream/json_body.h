#pragma once

#include <absl/strings/string_view.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "upstream/base64.h"
#include "upstream/http_client.h"

namespace idv {

// A JSON text with the base64 of images in it. The images are borrowed, not copied: their base64 is
// made while the body is read.
class JsonBody final : public RequestBody {
 public:
  // Adds to the end. The bytes of AppendBase64 must stay as they are until the body has been read.
  void Append(absl::string_view text) { text_.append(text.data(), text.size()); }
  void Append(char c) { text_.push_back(c); }
  void AppendBase64(absl::string_view bytes) { AppendBase64(std::vector{bytes}); }
  // Of bytes that lie in pieces.
  void AppendBase64(std::vector<absl::string_view> pieces);

  // Takes one character off the end; it must be one of text.
  void DropLast() { text_.pop_back(); }
  char last() const { return text_.back(); }

  std::optional<uint64_t> size() const override { return text_.size() + base64_size_; }
  // Bytes that Read() has not given yet.
  uint64_t left() const { return text_.size() + base64_size_ - read_; }
  size_t Read(char* out, size_t capacity) override;

 private:
  struct Insert {
    size_t at;  // where in text_ it stands
    Base64Reader base64;
  };

  std::string text_;
  std::vector<Insert> inserts_;
  uint64_t base64_size_ = 0;  // of all of them

  uint64_t read_ = 0;  // of both
  size_t text_read_ = 0;
  size_t inserts_read_ = 0;
};

}  // namespace idv
