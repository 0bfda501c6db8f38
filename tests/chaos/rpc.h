#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <memory>
#include <string>
#include <vector>

namespace idv::chaos {

// An RPC of the gateway, as its proto describes it.
struct Rpc {
  explicit Rpc(const google::protobuf::MethodDescriptor& descriptor);

  std::unique_ptr<google::protobuf::Message> NewRequest() const;
  std::unique_ptr<google::protobuf::Message> NewResponse() const;

  const google::protobuf::MethodDescriptor* method;
  // "/package.Service/Method"
  std::string path;
  // What it is at the upstream: "GET /verifications/*/images".
  std::string endpoint;
};

// All that the gateway serves but the stream.
std::vector<Rpc> UnaryRpcs();

// Whether a request below the API's base is one to the endpoint.
bool IsTo(const std::string& endpoint, const std::string& method, const std::string& path);

}  // namespace idv::chaos
