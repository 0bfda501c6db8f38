#ifndef UPSTREAM_SANDBOX_BASE64_H_
#define UPSTREAM_SANDBOX_BASE64_H_

#include <cstdint>
#include <string_view>

namespace idv::sandbox {

// Decides, a piece at a time and without keeping any of it, whether characters form standard
// base64: the alphabet of RFC 4648 section 4, padded, no line breaks, no `data:` prefix.
class Base64Check {
 public:
  void Add(std::string_view piece);

  // Of all the pieces so far. Nothing at all is not valid: an image is never empty.
  bool IsValid() const { return !broken_ && characters_ > 0 && characters_ % 4 == 0; }
  bool IsEmpty() const { return !broken_ && characters_ == 0; }

 private:
  std::uint64_t characters_ = 0;
  int padding_ = 0;
  bool broken_ = false;
};

bool IsBase64(std::string_view text);

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_BASE64_H_
