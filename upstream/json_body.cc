#include "upstream/json_body.h"

#include <algorithm>
#include <cstring>

namespace idv {

void JsonBody::AppendBase64(std::vector<absl::string_view> pieces) {
  inserts_.push_back({text_.size(), Base64Reader(std::move(pieces))});
  base64_size_ += inserts_.back().base64.left();
}

size_t JsonBody::Read(char* out, size_t capacity) {
  size_t written = 0;
  while (written < capacity) {
    const bool has_insert = inserts_read_ < inserts_.size();
    const size_t text_end = has_insert ? inserts_[inserts_read_].at : text_.size();
    if (text_read_ < text_end) {
      const size_t count = std::min(capacity - written, text_end - text_read_);
      std::memcpy(out + written, text_.data() + text_read_, count);
      text_read_ += count;
      written += count;
      continue;
    }
    if (!has_insert) break;
    Base64Reader& base64 = inserts_[inserts_read_].base64;
    written += base64.Read(out + written, capacity - written);
    if (base64.left() == 0) ++inserts_read_;
  }
  read_ += written;
  return written;
}

}  // namespace idv
