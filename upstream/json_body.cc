#include "upstream/json_body.h"

#include <algorithm>
#include <cstring>

#include "upstream/base64.h"

namespace idv {

void JsonBody::AppendBase64(absl::string_view bytes) { inserts_.push_back({text_.size(), bytes}); }

uint64_t JsonBody::size() const {
  uint64_t size = text_.size();
  for (const Insert& insert : inserts_) size += Base64Size(insert.bytes.size());
  return size;
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
    const absl::string_view bytes = inserts_[inserts_read_].bytes;
    const uint64_t left = Base64Size(bytes.size()) - base64_read_;
    const size_t count = static_cast<size_t>(std::min<uint64_t>(capacity - written, left));
    Base64Piece(bytes, base64_read_, count, out + written);
    base64_read_ += count;
    written += count;
    if (count == left) {
      ++inserts_read_;
      base64_read_ = 0;
    }
  }
  return written;
}

}  // namespace idv
