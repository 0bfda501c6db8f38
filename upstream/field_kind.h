#pragma once

#include <google/protobuf/descriptor.h>

#include <optional>

namespace idv {

// What a field is to the JSON codec: which JSON value stands for it.
enum class FieldKind {
  kString,
  kBytes,  // base64
  kBool,
  kInt32,
  kInt64,
  kDouble,
  kEnum,       // its upstream spelling
  kMessage,    // of this program's own protos
  kStruct,     // a free object
  kTimestamp,  // RFC 3339
  kTextMap,    // map<string, string>
};

// Nothing for a type that the codec does not know. A repeated field has the kind of its elements.
std::optional<FieldKind> KindOf(const google::protobuf::FieldDescriptor& field);

}  // namespace idv
