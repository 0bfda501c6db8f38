#include "gateway/image_message.h"

#include <string>

namespace idv {

bool ImageMessage::Parse(grpc::ByteBuffer& bytes, const Images::Types& types,
                         google::protobuf::Message& message) {
  const bool is_there = bytes.Dump(&slices_).ok();
  bytes.Clear();
  if (!is_there) return false;
  std::vector<absl::string_view> pieces;
  pieces.reserve(slices_.size());
  for (const grpc::Slice& slice : slices_) {
    pieces.emplace_back(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  std::string rest;
  return images_.CutOut(*message.GetDescriptor(), types, pieces, rest) &&
         message.ParseFromString(rest);
}

}  // namespace idv
