#include "gateway/method.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <utility>

namespace idv {
namespace {

const google::protobuf::Message* Prototype(const google::protobuf::Descriptor& type) {
  return google::protobuf::MessageFactory::generated_factory()->GetPrototype(&type);
}

}  // namespace

absl::StatusOr<Methods> Methods::Compile(
    const std::vector<const google::protobuf::ServiceDescriptor*>& services) {
  Methods methods;
  std::vector<std::string> problems;
  for (const auto* service : services) {
    methods.services_.push_back(service);
    for (int i = 0; i < service->method_count(); ++i) {
      const google::protobuf::MethodDescriptor& rpc = *service->method(i);
      absl::StatusOr<Route> route = Route::Compile(rpc);
      if (!route.ok()) {
        problems.emplace_back(route.status().message());
        continue;
      }
      methods.index_by_rpc_[&rpc] = methods.methods_.size();
      methods.methods_.push_back({.route = *std::move(route),
                                  .name = absl::StrCat(service->full_name(), "/", rpc.name()),
                                  .index = methods.methods_.size(),
                                  .service = methods.services_.size() - 1,
                                  .index_in_service = i,
                                  .request = Prototype(*rpc.input_type())});
    }
  }
  if (!problems.empty()) return absl::InvalidArgumentError(absl::StrJoin(problems, "\n"));
  return methods;
}

std::vector<std::string> Methods::Names() const {
  std::vector<std::string> names;
  names.reserve(methods_.size());
  for (const Method& method : methods_) names.push_back(method.name);
  return names;
}

std::vector<std::string> Methods::ServiceNames() const {
  std::vector<std::string> names;
  names.reserve(services_.size());
  for (const auto* service : services_) names.push_back(service->full_name());
  return names;
}

}  // namespace idv
