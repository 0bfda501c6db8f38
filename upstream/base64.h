#pragma once

#include <absl/strings/string_view.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace idv {

// The length of `bytes` bytes in standard base64 with padding.
constexpr uint64_t Base64Size(uint64_t bytes) { return (bytes + 2) / 3 * 4; }

// The standard base64 (RFC 4648 section 4: padded, no line breaks) of bytes that lie in pieces,
// made a part at a time.
class Base64Reader {
 public:
  // Borrows the bytes, which must stay as they are.
  explicit Base64Reader(std::vector<absl::string_view> pieces);

  // Characters that are still to come.
  uint64_t left() const { return left_; }

  // Writes the next of them, at most `capacity`, to `out`, and says how many: 0 after the last one.
  size_t Read(char* out, size_t capacity);

 private:
  size_t TakeBytes(unsigned char* out, size_t count);

  std::vector<absl::string_view> pieces_;
  size_t piece_ = 0;  // the one that is being read, from its front; those before are done
  uint64_t left_ = 0;
  // The end of a group that had no room.
  std::array<char, 4> group_{};
  size_t group_left_ = 0;
};

namespace internal {

// Makes four characters of every three bytes. The same twice: for any processor, and with AVX2
// where the processor has it; the second one says whether this one does.
using EncodeGroups = void (*)(const unsigned char* in, size_t groups, char* out);
void EncodeGroupsAnywhere(const unsigned char* in, size_t groups, char* out);
// Null: not here.
EncodeGroups FastEncodeGroups();

}  // namespace internal

}  // namespace idv
