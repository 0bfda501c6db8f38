#include "upstream/json_value.h"

#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

#include <cmath>

namespace idv {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

bool FillObject(const element& json, int depth, google::protobuf::Struct& object);

bool FillValue(const element& json, int depth, google::protobuf::Value& value) {
  switch (json.type()) {
    case element_type::NULL_VALUE:
      value.set_null_value(google::protobuf::NULL_VALUE);
      return true;
    case element_type::BOOL:
      value.set_bool_value(As<bool>(json));
      return true;
    case element_type::STRING:
      value.set_string_value(std::string(As<std::string_view>(json)));
      return true;
    case element_type::OBJECT:
      return FillObject(json, depth + 1, *value.mutable_struct_value());
    case element_type::ARRAY: {
      auto& list = *value.mutable_list_value();
      if (depth >= kMaxObjectDepth) return false;
      for (const element item : As<simdjson::dom::array>(json)) {
        if (!FillValue(item, depth + 1, *list.add_values())) return false;
      }
      return true;
    }
    default:
      value.set_number_value(As<double>(json));
      return true;
  }
}

bool FillObject(const element& json, int depth, google::protobuf::Struct& object) {
  if (json.type() != element_type::OBJECT || depth >= kMaxObjectDepth) return false;
  auto& fields = *object.mutable_fields();
  for (const auto [key, value] : As<simdjson::dom::object>(json)) {
    if (!FillValue(value, depth, fields[std::string(key)])) return false;
  }
  return true;
}

}  // namespace

absl::StatusOr<element> JsonParser::Parse(std::string& text) {
  constexpr absl::string_view kByteOrderMark = "\xEF\xBB\xBF";
  text.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  absl::string_view json = text;
  if (absl::StartsWith(json, kByteOrderMark)) json.remove_prefix(kByteOrderMark.size());
  element parsed;
  const simdjson::error_code error =
      parser_.parse(json.data(), json.size(), /*realloc_if_needed=*/false).get(parsed);
  if (error != simdjson::SUCCESS) {
    return absl::InvalidArgumentError(
        absl::StrCat("not well-formed JSON: ", simdjson::error_message(error)));
  }
  return parsed;
}

std::optional<std::string> ToText(const element& json) {
  switch (json.type()) {
    case element_type::STRING:
      return std::string(As<std::string_view>(json));
    case element_type::BOOL:
      return As<bool>(json) ? "true" : "false";
    case element_type::INT64:
    case element_type::UINT64:
    case element_type::DOUBLE:
      return simdjson::to_string(json);
    default:
      return std::nullopt;
  }
}

std::optional<double> ToDouble(const element& json) {
  double number = 0;
  if (json.type() == element_type::STRING) {
    if (!absl::SimpleAtod(ToAbsl(As<std::string_view>(json)), &number)) return std::nullopt;
  } else if (json.get(number) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  if (!std::isfinite(number)) return std::nullopt;
  return number;
}

std::optional<int64_t> ToInteger(const element& json) {
  int64_t integer = 0;
  if (json.get(integer) == simdjson::SUCCESS) return integer;
  if (json.type() == element_type::STRING &&
      absl::SimpleAtoi(ToAbsl(As<std::string_view>(json)), &integer)) {
    return integer;
  }
  // 3.0 is an integer too; beyond 2^53 a double no longer tells integers apart.
  constexpr double kExact = 9'007'199'254'740'992.0;
  const std::optional<double> number = ToDouble(json);
  if (!number || std::trunc(*number) != *number || std::abs(*number) > kExact) return std::nullopt;
  return static_cast<int64_t>(*number);
}

std::optional<bool> ToBool(const element& json) {
  bool value = false;
  if (json.get(value) == simdjson::SUCCESS) return value;
  std::string_view text;
  if (json.get(text) != simdjson::SUCCESS) return std::nullopt;
  if (absl::EqualsIgnoreCase(ToAbsl(text), "true")) return true;
  if (absl::EqualsIgnoreCase(ToAbsl(text), "false")) return false;
  return std::nullopt;
}

bool FillStruct(const element& json, google::protobuf::Struct& object) {
  return FillObject(json, 0, object);
}

absl::string_view NameOfType(const element& json) {
  switch (json.type()) {
    case element_type::ARRAY:
      return "an array";
    case element_type::OBJECT:
      return "an object";
    case element_type::STRING:
      return "a text";
    case element_type::BOOL:
      return "a bool";
    case element_type::NULL_VALUE:
      return "null";
    default:
      return "a number";
  }
}

}  // namespace idv
