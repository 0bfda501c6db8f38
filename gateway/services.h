#pragma once

#include <google/protobuf/descriptor.h>

#include <vector>

namespace idv {

// The services that the gateway serves: all of kora.idv.v1. A new RPC of one of them needs no line
// here, a new service one.
std::vector<const google::protobuf::ServiceDescriptor*> ServedServices();

}  // namespace idv
