#include "upstream/enum_spellings.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>

#include "kora/idv/gateway/v1/annotations.pb.h"

namespace idv {

absl::StatusOr<EnumSpellings> EnumSpellings::Compile(const google::protobuf::EnumDescriptor& type) {
  EnumSpellings spellings;
  for (int i = 0; i < type.value_count(); ++i) {
    const auto& value = *type.value(i);
    const auto& options = value.options().GetExtension(kora::idv::gateway::v1::enum_value);
    if (value.number() == 0) continue;
    if (options.spellings().empty()) {
      return absl::InvalidArgumentError(absl::StrCat(value.full_name(), " has no spelling"));
    }
    spellings.texts_.emplace(value.number(), options.spellings(0));
    for (const std::string& text : options.spellings()) {
      if (!spellings.numbers_.emplace(absl::AsciiStrToLower(text), value.number()).second) {
        return absl::InvalidArgumentError(
            absl::StrCat(type.full_name(), " has the spelling '", text, "' twice"));
      }
    }
  }
  return spellings;
}

std::optional<absl::string_view> EnumSpellings::ToText(int number) const {
  const auto found = texts_.find(number);
  if (found == texts_.end()) return std::nullopt;
  return absl::string_view(found->second);
}

std::optional<int> EnumSpellings::ToNumber(absl::string_view text) const {
  if (const auto found = numbers_.find(text); found != numbers_.end()) return found->second;
  const auto found = numbers_.find(absl::AsciiStrToLower(text));
  if (found == numbers_.end()) return std::nullopt;
  return found->second;
}

absl::StatusOr<const EnumSpellings*> EnumTable::Get(const google::protobuf::EnumDescriptor& type) {
  std::unique_ptr<EnumSpellings>& known = enums_[&type];
  if (known == nullptr) {
    absl::StatusOr<EnumSpellings> compiled = EnumSpellings::Compile(type);
    if (!compiled.ok()) return compiled.status();
    known = std::make_unique<EnumSpellings>(*std::move(compiled));
  }
  return known.get();
}

const google::protobuf::FieldDescriptor* VerbatimOf(
    const google::protobuf::FieldDescriptor& field) {
  const google::protobuf::Descriptor& message = *field.containing_type();
  for (int i = 0; i < message.field_count(); ++i) {
    const auto& options = message.field(i)->options().GetExtension(kora::idv::gateway::v1::field);
    if (options.verbatim_of() == field.name()) return message.field(i);
  }
  return nullptr;
}

}  // namespace idv
