#include "upstream/decoder_plan.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "kora/idv/gateway/v1/annotations.pb.h"

namespace idv {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using Step = MessagePlan::Step;

const kora::idv::gateway::v1::FieldOptions& OptionsOf(const FieldDescriptor& field) {
  return field.options().GetExtension(kora::idv::gateway::v1::field);
}

absl::StatusOr<FieldKind> KnownKindOf(const FieldDescriptor& field) {
  const std::optional<FieldKind> kind = KindOf(field);
  if (kind) return *kind;
  return absl::UnimplementedError(
      absl::StrCat(field.full_name(), " has a type that no answer can carry as JSON"));
}

// The number of the field of `type` that a bare string goes into; 0 if there is no such.
int BareStringOf(const Descriptor& type, const std::string& name) {
  const FieldDescriptor* const field = type.FindFieldByName(name);
  const bool fits = field != nullptr && field->type() == FieldDescriptor::TYPE_STRING;
  return fits ? field->number() : 0;
}

// All JSON names first, then the other keys of the fields: what stands there already, stays.
void AddKeys(MessagePlan& plan) {
  for (uint32_t i = 0; i < plan.fields.size(); ++i) {
    plan.slots.Insert(plan.fields[i].field->json_name(), {.field = i, .is_json_name = true});
  }
  for (uint32_t i = 0; i < plan.fields.size(); ++i) {
    const FieldDescriptor& field = *plan.fields[i].field;
    plan.slots.Insert(field.name(), {.field = i, .is_json_name = false});
    for (const std::string& alias : OptionsOf(field).aliases()) {
      plan.slots.Insert(alias, {.field = i, .is_json_name = false});
    }
  }
}

// The keys of the message field at `place` that no field of the plan's own has taken.
void AddInlineKeys(uint32_t place, MessagePlan& plan) {
  for (const auto& [key, slot] : plan.fields[place].message->slots.entries()) {
    plan.slots.Insert(key, {.field = place,
                            .is_json_name = slot.is_json_name,
                            .inner_field = slot.field,
                            .is_inner = true});
  }
}

}  // namespace

absl::StatusOr<const MessagePlan*> DecoderPlans::Add(const Descriptor& type) {
  std::unique_ptr<MessagePlan>& known = messages_[&type];
  if (known != nullptr) return known.get();
  known = std::make_unique<MessagePlan>();
  MessagePlan& plan = *known;
  plan.type = &type;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (!OptionsOf(field).verbatim_of().empty()) continue;
    absl::StatusOr<FieldPlan> field_plan = PlanField(field);
    if (!field_plan.ok()) return field_plan.status();
    if (OptionsOf(field).whole_object()) {
      plan.steps.push_back({Step::Kind::kWholeObject, field.number()});
      continue;
    }
    const auto place = static_cast<uint32_t>(plan.fields.size());
    plan.steps.push_back({Step::Kind::kField, field.number(), place});
    if (const FieldDescriptor* verbatim = VerbatimOf(field)) {
      plan.steps.push_back({Step::Kind::kVerbatim, verbatim->number(), place});
    }
    plan.has_inline |= field_plan->is_inline;
    plan.fields.push_back(*std::move(field_plan));
  }
  AddKeys(plan);
  for (uint32_t i = 0; i < plan.fields.size(); ++i) {
    if (plan.fields[i].is_inline) AddInlineKeys(i, plan);
  }
  std::sort(plan.steps.begin(), plan.steps.end(),
            [](const Step& a, const Step& b) { return a.number < b.number; });
  return &plan;
}

absl::StatusOr<FieldPlan> DecoderPlans::PlanField(const FieldDescriptor& field) {
  const auto& options = OptionsOf(field);
  const absl::StatusOr<FieldKind> kind = KnownKindOf(field);
  if (!kind.ok()) return kind.status();
  FieldPlan plan{.field = &field,
                 .kind = *kind,
                 .number = field.number(),
                 .is_list = field.is_repeated() && *kind != FieldKind::kTextMap,
                 .is_packed = field.is_packed(),
                 .has_presence = field.has_presence(),
                 .is_inline = options.inline_()};
  if (*kind == FieldKind::kEnum) {
    const auto spellings = enums_.Get(*field.enum_type());
    if (!spellings.ok()) return spellings.status();
    plan.spellings = *spellings;
  }
  if (*kind == FieldKind::kMessage) {
    const auto message = Add(*field.message_type());
    if (!message.ok()) return message.status();
    plan.message = *message;
    plan.bare_string = BareStringOf(*field.message_type(), options.bare_string());
  }
  const bool fits = (!options.whole_object() || *kind == FieldKind::kStruct) &&
                    (options.bare_string().empty() || plan.bare_string != 0) &&
                    (!plan.is_inline || (*kind == FieldKind::kMessage && !plan.is_list));
  if (fits) return plan;
  return absl::InvalidArgumentError(
      absl::StrCat(field.full_name(), " has an option that does not fit its type"));
}

}  // namespace idv
