#pragma once

#include <google/protobuf/descriptor.h>

#include <string>

namespace idv {

// Whether a message of that type, in protobuf's wire format, has an enum field with a value that is
// annotated as final: what it tells of does not change by itself any more. The type must be one of
// this program's.
bool HasFinalStatus(const google::protobuf::Descriptor& type, const std::string& wire);

}  // namespace idv
