#pragma once

#include <google/protobuf/message.h>
#include <grpcpp/grpcpp.h>

namespace idv::chaos {

// A message as it travels.
grpc::ByteBuffer ToByteBuffer(const google::protobuf::Message& message);
// False when the bytes are no such message.
bool FromByteBuffer(const grpc::ByteBuffer& bytes, google::protobuf::Message& message);

}  // namespace idv::chaos
