#pragma once

#include <grpcpp/grpcpp.h>
#include <grpcpp/support/proto_buffer_reader.h>

namespace idv::bench::storm {

template <typename Message>
grpc::ByteBuffer ToByteBuffer(const Message& message) {
  const grpc::Slice slice(message.SerializeAsString());
  return {&slice, 1};
}

// An empty one when it is no such message.
template <typename Message>
Message Parse(const grpc::ByteBuffer& bytes) {
  grpc::ByteBuffer copy = bytes;  // the reader takes none that is const
  grpc::ProtoBufferReader reader(&copy);
  Message message;
  return message.ParseFromZeroCopyStream(&reader) ? message : Message();
}

}  // namespace idv::bench::storm
