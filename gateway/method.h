#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <string>
#include <vector>

#include "upstream/route.h"

namespace idv {

// One RPC as the gateway serves it. Immutable.
struct Method {
  Route route;
  // "package.Service/Method".
  std::string name;
  // Its place among all methods.
  size_t index;
  // The place of its service among all services, and its own in that.
  size_t service;
  int index_in_service;
  // An empty request, to make others from.
  const google::protobuf::Message* request;

  bool is_frame_stream() const { return route.method().client_streaming(); }
  // Its one message may be large.
  bool is_upload() const { return route.takes_images() && !is_frame_stream(); }
};

// All RPCs of some services of this program, compiled from their descriptors: to serve another RPC,
// write it into its proto. Immutable after Compile().
class Methods {
 public:
  // kInvalidArgument: every RPC whose annotations are wrong, one a line, by name.
  static absl::StatusOr<Methods> Compile(
      const std::vector<const google::protobuf::ServiceDescriptor*>& services);

  const std::vector<Method>& all() const { return methods_; }
  const std::vector<const google::protobuf::ServiceDescriptor*>& services() const {
    return services_;
  }
  // The place of one of them.
  size_t IndexOf(const google::protobuf::MethodDescriptor& rpc) const {
    return index_by_rpc_.at(&rpc);
  }

  // By place.
  std::vector<std::string> Names() const;
  std::vector<std::string> ServiceNames() const;

 private:
  std::vector<const google::protobuf::ServiceDescriptor*> services_;
  std::vector<Method> methods_;
  absl::flat_hash_map<const google::protobuf::MethodDescriptor*, size_t> index_by_rpc_;
};

}  // namespace idv
