#include "gateway/raw_service.h"

#include <absl/strings/str_cat.h>
#include <grpcpp/impl/rpc_service_method.h>

namespace idv {
namespace {

using grpc::internal::RpcMethod;

RpcMethod::RpcType TypeOf(const google::protobuf::MethodDescriptor& method) {
  if (method.client_streaming()) {
    return method.server_streaming() ? RpcMethod::BIDI_STREAMING : RpcMethod::CLIENT_STREAMING;
  }
  return method.server_streaming() ? RpcMethod::SERVER_STREAMING : RpcMethod::NORMAL_RPC;
}

}  // namespace

RawService::RawService(const google::protobuf::ServiceDescriptor& service, const std::string& name,
                       const IsReadOnRequest& is_read_on_request) {
  const std::string& prefix = name.empty() ? service.full_name() : name;
  for (int i = 0; i < service.method_count(); ++i) {
    paths_.push_back(absl::StrCat("/", prefix, "/", service.method(i)->name()));
  }
  for (int i = 0; i < service.method_count(); ++i) {
    const google::protobuf::MethodDescriptor& method = *service.method(i);
    // On the wire both are the same; gRPC just does not wait for the message of a stream.
    const RpcMethod::RpcType type = is_read_on_request && is_read_on_request(method)
                                        ? RpcMethod::CLIENT_STREAMING
                                        : TypeOf(method);
    // The base class takes ownership, as it does of what generated code gives it.
    AddMethod(new grpc::internal::RpcServiceMethod(paths_[static_cast<size_t>(i)].c_str(), type,
                                                   nullptr));
    MarkMethodRaw(i);
  }
}

}  // namespace idv
