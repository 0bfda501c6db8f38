#pragma once

#include <absl/container/flat_hash_set.h>
#include <absl/strings/string_view.h>
#include <google/protobuf/descriptor.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace idv {

// The images of one message, its fields of type bytes, left where they arrived: in whatever pieces
// that was, and uncopied. The message itself is parsed without them.
class Images {
 public:
  // Message types that hold images, or messages that do.
  using Types = absl::flat_hash_set<const google::protobuf::Descriptor*>;

  // Adds `type`, and those within it, as far as they belong there.
  static void FindTypes(const google::protobuf::Descriptor& type, Types& types);

  // Takes a message apart, which lies in `pieces` in protobuf's wire format, and is of a type in
  // `types`: appends it to `rest` with a mark in place of each image that is not empty. Borrows the
  // bytes of `pieces`. Once. False: it is no wire format; of what is in `rest` then nothing is
  // known. What is true of a field only a parser of `rest` can tell.
  bool CutOut(const google::protobuf::Descriptor& type, const Types& types,
              const std::vector<absl::string_view>& pieces, std::string& rest);

  // The pieces of the image that this mark stands for.
  std::vector<absl::string_view> Of(absl::string_view mark) const;

  // The size of the largest one, in bytes.
  size_t largest() const { return largest_; }

 private:
  class Cutter;

  std::vector<absl::string_view> pieces_;  // of all images, one after the other
  std::vector<uint32_t> ends_;             // where in pieces_ each image ends
  size_t largest_ = 0;
};

}  // namespace idv
