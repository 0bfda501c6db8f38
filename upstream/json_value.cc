#include "upstream/json_value.h"

#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

#include <cmath>

namespace idv {

using simdjson::dom::element;
using simdjson::dom::element_type;

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
