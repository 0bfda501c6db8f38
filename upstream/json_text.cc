#include "upstream/json_text.h"

#include <array>
#include <charconv>
#include <cmath>

namespace idv {
namespace {

template <typename Number>
void AppendShortest(Number number, JsonBody& body) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  body.Append(absl::string_view(text.data(), static_cast<size_t>(end - text.data())));
}

bool AppendValue(const google::protobuf::Value& value, JsonBody& body);

bool AppendList(const google::protobuf::ListValue& list, JsonBody& body) {
  body.Append('[');
  for (const auto& element : list.values()) {
    if (!AppendValue(element, body)) return false;
    body.Append(',');
  }
  CloseBracket(']', body);
  return true;
}

bool AppendValue(const google::protobuf::Value& value, JsonBody& body) {
  switch (value.kind_case()) {
    case google::protobuf::Value::kNumberValue:
      if (!std::isfinite(value.number_value())) return false;
      AppendNumber(value.number_value(), body);
      return true;
    case google::protobuf::Value::kStringValue:
      AppendQuoted(value.string_value(), body);
      return true;
    case google::protobuf::Value::kBoolValue:
      body.Append(value.bool_value() ? "true" : "false");
      return true;
    case google::protobuf::Value::kStructValue:
      return AppendObject(value.struct_value(), body);
    case google::protobuf::Value::kListValue:
      return AppendList(value.list_value(), body);
    default:
      body.Append("null");
      return true;
  }
}

}  // namespace

void AppendQuoted(absl::string_view text, JsonBody& body) {
  constexpr absl::string_view kHex = "0123456789abcdef";
  body.Append('"');
  size_t plain = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f) continue;
    body.Append(text.substr(plain, i - plain));
    plain = i + 1;
    if (c == '"' || c == '\\') {
      const std::array<char, 2> escaped = {'\\', static_cast<char>(c)};
      body.Append(absl::string_view(escaped.data(), escaped.size()));
    } else {
      const std::array<char, 6> escaped = {'\\', 'u', '0', '0', kHex[c >> 4], kHex[c & 15]};
      body.Append(absl::string_view(escaped.data(), escaped.size()));
    }
  }
  body.Append(text.substr(plain));
  body.Append('"');
}

void AppendNumber(int32_t number, JsonBody& body) { AppendShortest(number, body); }
void AppendNumber(int64_t number, JsonBody& body) { AppendShortest(number, body); }
void AppendNumber(double number, JsonBody& body) { AppendShortest(number, body); }

bool AppendObject(const google::protobuf::Struct& object, JsonBody& body) {
  body.Append('{');
  for (const auto& [key, value] : object.fields()) {
    AppendQuoted(key, body);
    body.Append(':');
    if (!AppendValue(value, body)) return false;
    body.Append(',');
  }
  CloseBracket('}', body);
  return true;
}

void CloseBracket(char bracket, JsonBody& body) {
  if (body.last() == ',') body.DropLast();
  body.Append(bracket);
}

}  // namespace idv
