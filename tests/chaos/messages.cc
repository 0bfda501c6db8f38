#include "tests/chaos/messages.h"

#include <grpcpp/support/proto_buffer_reader.h>

namespace idv::chaos {

grpc::ByteBuffer ToByteBuffer(const google::protobuf::Message& message) {
  const grpc::Slice slice(message.SerializeAsString());
  return {&slice, 1};
}

bool FromByteBuffer(const grpc::ByteBuffer& bytes, google::protobuf::Message& message) {
  grpc::ByteBuffer read = bytes;  // shares them
  grpc::ProtoBufferReader reader(&read);
  return message.ParseFromZeroCopyStream(&reader);
}

}  // namespace idv::chaos
