#include "tests/chaos/rpc.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>

#include <google/api/annotations.pb.h>

#include "gateway/services.h"

namespace idv::chaos {
namespace {

std::string EndpointOf(const google::protobuf::MethodDescriptor& method) {
  const auto& rule = method.options().GetExtension(google::api::http);
  std::string endpoint = rule.get().empty() ? "POST" : "GET";
  const std::string path = rule.get().empty() ? rule.post() : rule.get();
  for (const absl::string_view segment : absl::StrSplit(path.substr(1), '/')) {
    absl::StrAppend(&endpoint, endpoint.size() <= 4 ? " /" : "/",
                    absl::StartsWith(segment, "{") ? "*" : segment);
  }
  return endpoint;
}

std::unique_ptr<google::protobuf::Message> New(const google::protobuf::Descriptor& type) {
  auto& factory = *google::protobuf::MessageFactory::generated_factory();
  return std::unique_ptr<google::protobuf::Message>(factory.GetPrototype(&type)->New());
}

}  // namespace

Rpc::Rpc(const google::protobuf::MethodDescriptor& descriptor)
    : method(&descriptor),
      path(absl::StrCat("/", descriptor.service()->full_name(), "/", descriptor.name())),
      endpoint(EndpointOf(descriptor)) {}

std::unique_ptr<google::protobuf::Message> Rpc::NewRequest() const {
  return New(*method->input_type());
}

std::unique_ptr<google::protobuf::Message> Rpc::NewResponse() const {
  return New(*method->output_type());
}

std::vector<Rpc> UnaryRpcs() {
  std::vector<Rpc> rpcs;
  for (const auto* const service : ServedServices()) {
    for (int i = 0; i < service->method_count(); ++i) {
      if (!service->method(i)->client_streaming()) rpcs.emplace_back(*service->method(i));
    }
  }
  return rpcs;
}

bool IsTo(const std::string& endpoint, const std::string& method, const std::string& path) {
  const std::vector<std::string> wanted = absl::StrSplit(endpoint, '/');
  const std::vector<std::string> found = absl::StrSplit(absl::StrCat(method, " ", path), '/');
  if (wanted.size() != found.size()) return false;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] != "*" && wanted[i] != found[i]) return false;
  }
  return true;
}

}  // namespace idv::chaos
