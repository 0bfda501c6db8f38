#include "upstream/streamed_body.h"

namespace idv {

void StreamedBody::Add(JsonBody part) {
  part_ = std::move(part);
  is_taken_ = false;
  last_moved_ = Clock::now();
  Wake();
}

void StreamedBody::End() {
  has_ended_ = true;
  Wake();
}

size_t StreamedBody::Read(char* out, size_t capacity) {
  const size_t count = is_taken_ ? 0 : part_.Read(out, capacity);
  if (count > 0) last_moved_ = Clock::now();
  if (!is_taken_ && part_.left() == 0) {
    is_taken_ = true;
    part_ = {};
    on_taken_();
  }
  if (count > 0 || has_ended_) return count;
  return kWait;
}

}  // namespace idv
