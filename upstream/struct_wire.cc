#include "upstream/struct_wire.h"

#include <google/protobuf/struct.pb.h>

#include <string_view>

#include "upstream/json_value.h"

namespace idv {
namespace {

using google::protobuf::ListValue;
using google::protobuf::Struct;
using google::protobuf::Value;
using simdjson::dom::element;
using simdjson::dom::element_type;

// Of the entries of every protobuf map.
constexpr int kMapKey = 1;
constexpr int kMapValue = 2;

bool AppendFields(const element& json, int depth, WireWriter& wire);

bool AppendList(const element& json, int depth, WireWriter& wire);

// The one field that a google.protobuf.Value has.
bool AppendValue(const element& json, int depth, WireWriter& wire) {
  switch (json.type()) {
    case element_type::NULL_VALUE:
      wire.Varint(Value::kNullValueFieldNumber, google::protobuf::NULL_VALUE);
      return true;
    case element_type::BOOL:
      wire.Varint(Value::kBoolValueFieldNumber, As<bool>(json) ? 1 : 0);
      return true;
    case element_type::STRING:
      wire.Bytes(Value::kStringValueFieldNumber, ToAbsl(As<std::string_view>(json)));
      return true;
    case element_type::OBJECT: {
      const size_t begin = wire.Begin(Value::kStructValueFieldNumber);
      if (!AppendFields(json, depth + 1, wire)) return false;
      wire.End(begin);
      return true;
    }
    case element_type::ARRAY: {
      const size_t begin = wire.Begin(Value::kListValueFieldNumber);
      if (!AppendList(json, depth + 1, wire)) return false;
      wire.End(begin);
      return true;
    }
    default:
      wire.Double(Value::kNumberValueFieldNumber, As<double>(json));
      return true;
  }
}

bool AppendList(const element& json, int depth, WireWriter& wire) {
  if (depth >= kMaxObjectDepth) return false;
  for (const element item : As<simdjson::dom::array>(json)) {
    const size_t begin = wire.Begin(ListValue::kValuesFieldNumber);
    if (!AppendValue(item, depth, wire)) return false;
    wire.End(begin);
  }
  return true;
}

bool AppendFields(const element& json, int depth, WireWriter& wire) {
  if (depth >= kMaxObjectDepth) return false;
  for (const auto [key, value] : As<simdjson::dom::object>(json)) {
    const size_t entry = wire.Begin(Struct::kFieldsFieldNumber);
    wire.Bytes(kMapKey, ToAbsl(key));
    const size_t begin = wire.Begin(kMapValue);
    if (!AppendValue(value, depth, wire)) return false;
    wire.End(begin);
    wire.End(entry);
  }
  return true;
}

}  // namespace

bool AppendStruct(const element& json, WireWriter& wire) {
  const size_t start = wire.size();
  if (json.type() == element_type::OBJECT && AppendFields(json, 0, wire)) return true;
  wire.BackTo(start);
  return false;
}

}  // namespace idv
