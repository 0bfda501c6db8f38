#include "upstream/field_kind.h"

namespace idv {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

std::optional<FieldKind> KindOfMap(const Descriptor& entry) {
  const bool is_text_map = entry.map_key()->type() == FieldDescriptor::TYPE_STRING &&
                           entry.map_value()->type() == FieldDescriptor::TYPE_STRING;
  return is_text_map ? std::optional(FieldKind::kTextMap) : std::nullopt;
}

std::optional<FieldKind> KindOfMessage(const Descriptor& type) {
  if (type.full_name() == "google.protobuf.Struct") return FieldKind::kStruct;
  if (type.full_name() == "google.protobuf.Timestamp") return FieldKind::kTimestamp;
  if (type.file()->package() == "google.protobuf") return std::nullopt;
  return FieldKind::kMessage;
}

}  // namespace

std::optional<FieldKind> KindOf(const FieldDescriptor& field) {
  if (field.is_map()) return KindOfMap(*field.message_type());
  switch (field.type()) {
    case FieldDescriptor::TYPE_STRING:
      return FieldKind::kString;
    case FieldDescriptor::TYPE_BYTES:
      return FieldKind::kBytes;
    case FieldDescriptor::TYPE_BOOL:
      return FieldKind::kBool;
    case FieldDescriptor::TYPE_INT32:
      return FieldKind::kInt32;
    case FieldDescriptor::TYPE_INT64:
      return FieldKind::kInt64;
    case FieldDescriptor::TYPE_DOUBLE:
      return FieldKind::kDouble;
    case FieldDescriptor::TYPE_ENUM:
      return FieldKind::kEnum;
    case FieldDescriptor::TYPE_MESSAGE:
      return KindOfMessage(*field.message_type());
    default:
      return std::nullopt;
  }
}

}  // namespace idv
