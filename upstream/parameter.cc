#include "upstream/parameter.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>

#include <algorithm>

namespace idv {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// What common servers take as one header (nginx and Go: 8 kB and more), with room to spare.
constexpr size_t kMaxHeaderValueBytes = 1000;

bool HasControlCharacter(absl::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); });
}

}  // namespace

std::string Parameter::FieldPath() const {
  std::string path;
  for (const FieldDescriptor* field : fields) {
    absl::StrAppend(&path, path.empty() ? "" : ".", field->name());
  }
  return path;
}

absl::StatusOr<std::string> Parameter::TextIn(const Message& root) const {
  const Message* message = &root;
  for (size_t i = 0; i + 1 < fields.size(); ++i) {
    message = &message->GetReflection()->GetMessage(*message, fields[i]);
  }
  const Reflection& reflection = *message->GetReflection();
  const FieldDescriptor* const field = fields.back();
  if (spellings != nullptr) {
    const int number = reflection.GetEnumValue(*message, field);
    if (const auto text = spellings->ToText(number)) return std::string(*text);
    if (number != 0) {
      return absl::InvalidArgumentError(absl::StrCat("the enum has no value ", number));
    }
    return verbatim == nullptr ? "" : reflection.GetString(*message, verbatim);
  }
  if (!reflection.HasField(*message, field)) return "";
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.GetBool(*message, field) ? "true" : "false";
    case FieldDescriptor::CPPTYPE_INT32:
      return absl::StrCat(reflection.GetInt32(*message, field));
    case FieldDescriptor::CPPTYPE_INT64:
      return absl::StrCat(reflection.GetInt64(*message, field));
    default:
      return reflection.GetString(*message, field);
  }
}

absl::string_view PathFault(absl::string_view text) {
  if (text.empty()) return "required, but unset";
  if (text == "." || text == "..") return "must not be '.' or '..'";
  if (HasControlCharacter(text)) return "must not contain control characters";
  return "";
}

absl::string_view HeaderFault(absl::string_view text) {
  const bool printable = std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isprint(static_cast<unsigned char>(c));
  });
  if (!printable) return "must be printable ASCII: it travels as an HTTP header";
  if (absl::StripAsciiWhitespace(text) != text) return "must not begin or end with a blank";
  if (text.size() > kMaxHeaderValueBytes) return "must not be longer than 1000 bytes";
  return "";
}

void AppendPercentEncoded(absl::string_view text, std::string& out) {
  constexpr absl::string_view kHex = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || absl::StrContains("-._~", absl::string_view(&c, 1))) {
      out.push_back(c);
    } else {
      out.append({'%', kHex[byte >> 4], kHex[byte & 15]});
    }
  }
}

}  // namespace idv
