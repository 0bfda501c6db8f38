#pragma once

#include <google/protobuf/descriptor.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/service_type.h>
#include <grpcpp/support/async_stream.h>
#include <grpcpp/support/async_unary_call.h>

#include <functional>
#include <string>
#include <vector>

namespace idv {

// A gRPC service made of its descriptor alone: all its methods are raw (bytes in, bytes out) and
// asynchronous. What a generated AsyncService does, without a line of code per method. Thread-safe
// once registered with a server; must outlive that.
class RawService final : public grpc::Service {
 public:
  using UnaryWriter = grpc::ServerAsyncResponseWriter<grpc::ByteBuffer>;
  using UploadReader = grpc::ServerAsyncReader<grpc::ByteBuffer, grpc::ByteBuffer>;
  using DownloadWriter = grpc::ServerAsyncWriter<grpc::ByteBuffer>;
  using Stream = grpc::ServerAsyncReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>;

  // Of a method that takes one message, whether gRPC is to bring its calls before it has read that:
  // such a call is asked for as an upload.
  using IsReadOnRequest = std::function<bool(const google::protobuf::MethodDescriptor&)>;

  // `name`: in place of the descriptor's full name, for a service that goes by two.
  explicit RawService(const google::protobuf::ServiceDescriptor& service,
                      const std::string& name = "", const IsReadOnRequest& is_read_on_request = {});

  // Each asks for one call of the method at that place in the descriptor, which must be of that
  // kind. `tag` comes back on `queue` when there is one, or with false when the server shuts down.
  void RequestUnary(int method, grpc::ServerContext& context, grpc::ByteBuffer& request,
                    UnaryWriter& writer, grpc::ServerCompletionQueue& queue, void* tag) {
    RequestAsyncUnary(method, &context, &request, &writer, &queue, &queue, tag);
  }
  void RequestUpload(int method, grpc::ServerContext& context, UploadReader& reader,
                     grpc::ServerCompletionQueue& queue, void* tag) {
    RequestAsyncClientStreaming(method, &context, &reader, &queue, &queue, tag);
  }
  void RequestDownload(int method, grpc::ServerContext& context, grpc::ByteBuffer& request,
                       DownloadWriter& writer, grpc::ServerCompletionQueue& queue, void* tag) {
    RequestAsyncServerStreaming(method, &context, &request, &writer, &queue, &queue, tag);
  }
  void RequestStream(int method, grpc::ServerContext& context, Stream& stream,
                     grpc::ServerCompletionQueue& queue, void* tag) {
    RequestAsyncBidiStreaming(method, &context, &stream, &queue, &queue, tag);
  }

 private:
  std::vector<std::string> paths_;  // the methods point to them
};

}  // namespace idv
