#pragma once

#include <absl/strings/string_view.h>
#include <google/protobuf/message.h>
#include <grpcpp/grpcpp.h>

#include <cstddef>
#include <vector>

#include "upstream/images.h"

namespace idv {

// A message with images as it arrived: they stay in its slices, uncopied.
class ImageMessage {
 public:
  // Parses `bytes`, which it leaves empty, into `message`, which must be empty too, with a mark in
  // place of each image. `types`: of the route. False: it is no such message.
  bool Parse(grpc::ByteBuffer& bytes, const Images::Types& types,
             google::protobuf::Message& message);

  // By their marks.
  const Images& images() const { return images_; }

 private:
  std::vector<grpc::Slice> slices_;
  Images images_;
};

}  // namespace idv
