#pragma once

#include <absl/status/status.h>
#include <google/protobuf/descriptor.h>

namespace idv {

// Whether the options of every field of `type`, and of the messages in it, fit the field: keys that
// are plain text in JSON and in a query, header names, and options that only a singular field can
// have. What the codec's plans refuse by themselves is left to them. kInvalidArgument, naming the
// field.
absl::Status CheckFieldOptions(const google::protobuf::Descriptor& type);

}  // namespace idv
