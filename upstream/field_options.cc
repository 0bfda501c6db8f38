#include "upstream/field_options.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <set>

#include "kora/idv/gateway/v1/annotations.pb.h"
#include "upstream/field_kind.h"

namespace idv {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using kora::idv::gateway::v1::FieldOptions;

bool ConsistsOf(absl::string_view text, absl::string_view marks) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           absl::StrContains(marks, absl::string_view(&c, 1));
  });
}

bool IsText(const FieldDescriptor* field) {
  return field != nullptr && field->type() == FieldDescriptor::TYPE_STRING && !field->is_repeated();
}

// What is wrong with them; empty: nothing.
absl::string_view FaultOf(const FieldDescriptor& field, const FieldOptions& options) {
  constexpr absl::string_view kUnreserved = "-._~";          // RFC 3986, 2.3
  constexpr absl::string_view kOfToken = "!#$%&'*+-.^_`|~";  // RFC 9110, 5.6.2
  if (!ConsistsOf(field.json_name(), kUnreserved)) return "has a JSON name that needs escapes";
  if (!options.header().empty() && !ConsistsOf(options.header(), kOfToken)) {
    return "has an option header that is no name of a header";
  }
  const Descriptor& message = *field.containing_type();
  const FieldDescriptor* const enum_field = message.FindFieldByName(options.verbatim_of());
  if (!options.verbatim_of().empty() &&
      (!IsText(&field) || enum_field == nullptr || enum_field->enum_type() == nullptr ||
       enum_field->is_repeated())) {
    return "has an option verbatim_of, but is no string, or names no enum field";
  }
  if (!options.bare_string().empty() && field.message_type() != nullptr &&
      !IsText(field.message_type()->FindFieldByName(options.bare_string()))) {
    return "has an option bare_string that names no string of its message";
  }
  if (field.is_repeated() && (options.inline_() || options.whole_object())) {
    return "is a list, but has an option that takes none";
  }
  return "";
}

absl::Status Check(const Descriptor& type, std::set<const Descriptor*>& seen) {
  if (!seen.insert(&type).second) return absl::OkStatus();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const absl::string_view fault =
        FaultOf(field, field.options().GetExtension(kora::idv::gateway::v1::field));
    if (!fault.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(field.full_name(), " ", fault));
    }
    if (KindOf(field) != FieldKind::kMessage) continue;
    if (absl::Status status = Check(*field.message_type(), seen); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckFieldOptions(const Descriptor& type) {
  std::set<const Descriptor*> seen;
  return Check(type, seen);
}

}  // namespace idv
