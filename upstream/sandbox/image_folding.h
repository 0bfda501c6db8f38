#ifndef UPSTREAM_SANDBOX_IMAGE_FOLDING_H_
#define UPSTREAM_SANDBOX_IMAGE_FOLDING_H_

#include <string>
#include <string_view>
#include <vector>

#include "upstream/sandbox/base64.h"

namespace idv::sandbox {

// Shortens a JSON text as it arrives: every image in it (the strings under the keys `imageBase64`,
// `frames` and `frameImages`) becomes a stand-in of a few bytes, all else stays byte for byte. So
// no image is ever held, a stream of a thousand frames costs kilobytes, and the JSON parser sees
// only what matters. The stand-ins answer the one question that is asked of an image:
//   a valid one -> kValidImage, an empty one -> "", anything else -> kInvalidImage
// Text that is not JSON stays not JSON.
class ImageFolding {
 public:
  static constexpr std::string_view kValidImage = "AAAA";
  static constexpr std::string_view kInvalidImage = "!";

  void Add(std::string_view piece);

  // All text so far, shortened. Call it once, at the end.
  std::string Take() { return std::move(folded_); }

 private:
  enum class Within { kStructure, kString, kImage };
  struct Level {
    bool is_object;
    std::string key;  // of the member being read; an array has that of the object around it
  };

  std::string_view AddStructure(std::string_view rest);
  std::string_view AddString(std::string_view rest);
  std::string_view AddImage(std::string_view rest);
  void BeginString();
  void EndString();
  void EndImage();
  void AddEscapedToImage(char c);
  bool AwaitsKey() const;
  const std::string& Key() const;

  Within within_ = Within::kStructure;
  std::vector<Level> levels_;
  char last_token_ = 0;  // last structural character, 's' for a scalar
  bool is_key_ = false;
  bool escaped_ = false;
  std::string key_;
  std::string escape_;  // the digits of a \uXXXX inside an image
  Base64Check image_;
  std::string folded_;
};

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_IMAGE_FOLDING_H_
