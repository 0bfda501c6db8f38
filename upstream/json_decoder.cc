#include "upstream/json_decoder.h"

#include <absl/container/flat_hash_map.h>
#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <limits>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "kora/idv/gateway/v1/annotations.pb.h"
#include "upstream/enum_spellings.h"
#include "upstream/field_kind.h"
#include "upstream/rfc3339.h"

namespace idv {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using simdjson::dom::element;
using simdjson::dom::element_type;

struct MessagePlan;

struct FieldPlan {
  const FieldDescriptor* field = nullptr;
  FieldKind kind = FieldKind::kString;
  const EnumSpellings* spellings = nullptr;
  const FieldDescriptor* verbatim = nullptr;
  const MessagePlan* message = nullptr;
  const FieldDescriptor* bare_string = nullptr;  // of `message`
};

// What one JSON key stands for.
struct Slot {
  const FieldPlan* plan;
  bool is_json_name;
  const FieldDescriptor* inside = nullptr;  // the key is one of this message field's, one level up
};

struct MessagePlan {
  const Descriptor* type = nullptr;
  std::vector<std::unique_ptr<FieldPlan>> fields;
  absl::flat_hash_map<std::string, Slot> slots;
  const FieldDescriptor* whole_object = nullptr;
};

absl::string_view Expectation(FieldKind kind) {
  switch (kind) {
    case FieldKind::kString:
      return "a text";
    case FieldKind::kBytes:
      return "a base64 text";
    case FieldKind::kBool:
      return "true or false";
    case FieldKind::kInt32:
      return "a 32-bit integer";
    case FieldKind::kInt64:
      return "a 64-bit integer";
    case FieldKind::kDouble:
      return "a number";
    case FieldKind::kEnum:
      return "a text";
    case FieldKind::kMessage:
      return "an object";
    case FieldKind::kStruct:
      return "an object nested at most 30 deep";
    case FieldKind::kTimestamp:
      return "an RFC 3339 time";
    case FieldKind::kTextMap:
      return "an object of texts";
  }
  return "";
}

class Reader {
 public:
  Reader(JsonDecoder::Mode mode, DriftSink drift) : mode_(mode), drift_(drift) {}

  absl::Status ReadMessage(const MessagePlan& plan, const element& json, Message& message) {
    if (plan.whole_object != nullptr) {
      auto& whole = static_cast<google::protobuf::Struct&>(
          *message.GetReflection()->MutableMessage(&message, plan.whole_object));
      if (!FillStruct(json, whole) && mode_ == JsonDecoder::Mode::kStrictTypes) {
        return absl::InvalidArgumentError(
            absl::StrCat("expected ", Expectation(FieldKind::kStruct), ", got one nested deeper"));
      }
    }
    for (const auto [key, value] : As<simdjson::dom::object>(json)) {
      const auto slot = plan.slots.find(ToAbsl(key));
      if (slot == plan.slots.end()) {
        drift_({Drift::Kind::kUnknownKey, plan.type->full_name(), ToAbsl(key)});
      } else if (absl::Status status = ReadSlot(slot->second, value, message); !status.ok()) {
        return status;
      }
    }
    return absl::OkStatus();
  }

  absl::Status ReadField(const FieldPlan& plan, const element& json, Message& message) {
    return plan.field->is_repeated() && plan.kind != FieldKind::kTextMap
               ? ReadList(plan, json, message)
               : ReadValue(plan, json, message);
  }

 private:
  absl::Status ReadSlot(const Slot& slot, const element& json, Message& message) {
    if (json.is_null()) return absl::OkStatus();
    if (slot.inside != nullptr) {
      Message* const inner = message.GetReflection()->MutableMessage(&message, slot.inside);
      return ReadSlot({slot.plan, slot.is_json_name}, json, *inner);
    }
    const FieldPlan& plan = *slot.plan;
    if (IsSet(plan, message)) {
      if (!slot.is_json_name) return absl::OkStatus();
      message.GetReflection()->ClearField(&message, plan.field);
    }
    return ReadField(plan, json, message);
  }

  static bool IsSet(const FieldPlan& plan, const Message& message) {
    const Reflection& reflection = *message.GetReflection();
    if (plan.field->is_repeated()) return reflection.FieldSize(message, plan.field) > 0;
    return reflection.HasField(message, plan.field) ||
           (plan.verbatim != nullptr && reflection.HasField(message, plan.verbatim));
  }

  absl::Status ReadList(const FieldPlan& plan, const element& json, Message& message) {
    if (json.type() != element_type::ARRAY) {
      // One value in place of a list of one; but an object with other lists in it is no element.
      if (json.type() == element_type::OBJECT) return Mismatch(plan, json, "an array");
      return ReadValue(plan, json, message);
    }
    for (const element item : As<simdjson::dom::array>(json)) {
      if (item.is_null()) continue;
      if (absl::Status status = ReadValue(plan, item, message); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  // Sets a singular field, or adds to a repeated one.
  absl::Status ReadValue(const FieldPlan& plan, const element& json, Message& message) {
    const Reflection& reflection = *message.GetReflection();
    const FieldDescriptor* const field = plan.field;
    const bool add = field->is_repeated();
    bool fits = true;
    switch (plan.kind) {
      case FieldKind::kString: {
        auto text = ToText(json);
        fits = text.has_value();
        if (!fits) break;
        add ? reflection.AddString(&message, field, *std::move(text))
            : reflection.SetString(&message, field, *std::move(text));
        break;
      }
      case FieldKind::kBytes: {
        std::string_view text;
        std::string bytes;
        fits = json.get(text) == simdjson::SUCCESS && absl::Base64Unescape(ToAbsl(text), &bytes);
        if (!fits) break;
        add ? reflection.AddString(&message, field, std::move(bytes))
            : reflection.SetString(&message, field, std::move(bytes));
        break;
      }
      case FieldKind::kBool: {
        const auto value = ToBool(json);
        fits = value.has_value();
        if (!fits) break;
        add ? reflection.AddBool(&message, field, *value)
            : reflection.SetBool(&message, field, *value);
        break;
      }
      case FieldKind::kInt32: {
        const auto value = ToInteger(json);
        fits = value && *value >= std::numeric_limits<int32_t>::min() &&
               *value <= std::numeric_limits<int32_t>::max();
        if (!fits) break;
        const auto integer = static_cast<int32_t>(*value);
        add ? reflection.AddInt32(&message, field, integer)
            : reflection.SetInt32(&message, field, integer);
        break;
      }
      case FieldKind::kInt64: {
        const auto value = ToInteger(json);
        fits = value.has_value();
        if (!fits) break;
        add ? reflection.AddInt64(&message, field, *value)
            : reflection.SetInt64(&message, field, *value);
        break;
      }
      case FieldKind::kDouble: {
        const auto value = ToDouble(json);
        fits = value.has_value();
        if (!fits) break;
        add ? reflection.AddDouble(&message, field, *value)
            : reflection.SetDouble(&message, field, *value);
        break;
      }
      case FieldKind::kEnum:
        fits = json.type() == element_type::STRING;
        if (fits) ReadEnum(plan, ToAbsl(As<std::string_view>(json)), message);
        break;
      case FieldKind::kMessage:
        return ReadSubmessage(plan, json, message);
      case FieldKind::kStruct:
      case FieldKind::kTimestamp:
      case FieldKind::kTextMap:
        fits = ReadWellKnown(plan, json, message);
        break;
    }
    return fits ? absl::OkStatus() : Mismatch(plan, json, Expectation(plan.kind));
  }

  void ReadEnum(const FieldPlan& plan, absl::string_view text, Message& message) {
    const Reflection& reflection = *message.GetReflection();
    const std::optional<int> number = plan.spellings->ToNumber(text);
    if (!number && !text.empty()) {
      drift_({Drift::Kind::kUnknownEnumValue, plan.field->full_name(), text});
    }
    if (plan.field->is_repeated()) {
      reflection.AddEnumValue(&message, plan.field, number.value_or(0));
    } else {
      reflection.SetEnumValue(&message, plan.field, number.value_or(0));
    }
    if (plan.verbatim != nullptr) {
      reflection.SetString(&message, plan.verbatim, std::string(text));
    }
  }

  absl::Status ReadSubmessage(const FieldPlan& plan, const element& json, Message& message) {
    const Reflection& reflection = *message.GetReflection();
    const bool is_bare = plan.bare_string != nullptr && json.type() == element_type::STRING;
    if (!is_bare && json.type() != element_type::OBJECT) {
      return Mismatch(plan, json, Expectation(plan.kind));
    }
    Message* const inner = plan.field->is_repeated()
                               ? reflection.AddMessage(&message, plan.field)
                               : reflection.MutableMessage(&message, plan.field);
    if (is_bare) {
      inner->GetReflection()->SetString(inner, plan.bare_string,
                                        std::string(As<std::string_view>(json)));
      return absl::OkStatus();
    }
    absl::Status status = ReadMessage(*plan.message, json, *inner);
    if (status.ok()) return status;
    return absl::InvalidArgumentError(absl::StrCat(plan.field->json_name(), ".", status.message()));
  }

  static bool ReadWellKnown(const FieldPlan& plan, const element& json, Message& message) {
    const Reflection& reflection = *message.GetReflection();
    if (plan.kind == FieldKind::kTextMap) return ReadTextMap(plan, json, message);
    const auto inner = [&] {
      return plan.field->is_repeated() ? reflection.AddMessage(&message, plan.field)
                                       : reflection.MutableMessage(&message, plan.field);
    };
    if (plan.kind == FieldKind::kStruct) {
      return FillStruct(json, static_cast<google::protobuf::Struct&>(*inner()));
    }
    std::string_view text;
    if (json.get(text) != simdjson::SUCCESS) return false;
    const auto time = ParseRfc3339(ToAbsl(text));
    if (time) static_cast<google::protobuf::Timestamp&>(*inner()) = *time;
    // An empty text is how some servers write an unset time.
    return time.has_value() || text.empty();
  }

  static bool ReadTextMap(const FieldPlan& plan, const element& json, Message& message) {
    if (json.type() != element_type::OBJECT) return false;
    const Descriptor& entry_type = *plan.field->message_type();
    for (const auto [key, value] : As<simdjson::dom::object>(json)) {
      if (value.is_null()) continue;
      std::optional<std::string> text = ToText(value);
      if (!text) return false;
      Message* const entry = message.GetReflection()->AddMessage(&message, plan.field);
      entry->GetReflection()->SetString(entry, entry_type.map_key(), std::string(key));
      entry->GetReflection()->SetString(entry, entry_type.map_value(), *std::move(text));
    }
    return true;
  }

  absl::Status Mismatch(const FieldPlan& plan, const element& json, absl::string_view expected) {
    if (mode_ == JsonDecoder::Mode::kSkipWrongTypes) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat(plan.field->json_name(), ": expected ", expected, ", got ", NameOfType(json)));
  }

  const JsonDecoder::Mode mode_;
  const DriftSink drift_;
};

absl::StatusOr<FieldKind> KnownKindOf(const FieldDescriptor& field) {
  const std::optional<FieldKind> kind = KindOf(field);
  if (kind) return *kind;
  return absl::UnimplementedError(
      absl::StrCat(field.full_name(), " has a type that no answer can carry as JSON"));
}

}  // namespace

struct JsonDecoder::Plan {
  absl::StatusOr<const MessagePlan*> Add(const Descriptor& type);
  absl::StatusOr<std::unique_ptr<FieldPlan>> PlanField(const FieldDescriptor& field);
  static void AddKeys(const FieldPlan& field, MessagePlan& plan);
  static void AddInlineKeys(const FieldPlan& field, MessagePlan& plan);

  Mode mode = Mode::kStrictTypes;
  EnumTable enums;
  std::map<const Descriptor*, std::unique_ptr<MessagePlan>> messages;
  const MessagePlan* root = nullptr;
  const FieldPlan* list = nullptr;
};

absl::StatusOr<const MessagePlan*> JsonDecoder::Plan::Add(const Descriptor& message_type) {
  std::unique_ptr<MessagePlan>& known = messages[&message_type];
  if (known != nullptr) return known.get();
  known = std::make_unique<MessagePlan>();
  MessagePlan* const plan = known.get();
  plan->type = &message_type;
  std::vector<const FieldPlan*> inlined;
  for (int i = 0; i < message_type.field_count(); ++i) {
    const FieldDescriptor& field = *message_type.field(i);
    const auto& options = field.options().GetExtension(kora::idv::gateway::v1::field);
    if (!options.verbatim_of().empty()) continue;
    auto field_plan = PlanField(field);
    if (!field_plan.ok()) return field_plan.status();
    if (options.whole_object()) {
      plan->whole_object = &field;
      continue;
    }
    AddKeys(**field_plan, *plan);
    if (options.inline_()) inlined.push_back(field_plan->get());
    plan->fields.push_back(*std::move(field_plan));
  }
  for (const FieldPlan* field : inlined) AddInlineKeys(*field, *plan);
  return plan;
}

absl::StatusOr<std::unique_ptr<FieldPlan>> JsonDecoder::Plan::PlanField(
    const FieldDescriptor& field) {
  const auto& options = field.options().GetExtension(kora::idv::gateway::v1::field);
  const absl::StatusOr<FieldKind> kind = KnownKindOf(field);
  if (!kind.ok()) return kind.status();
  auto plan = std::make_unique<FieldPlan>();
  plan->field = &field;
  plan->kind = *kind;
  if (*kind == FieldKind::kEnum) {
    const auto spellings = enums.Get(*field.enum_type());
    if (!spellings.ok()) return spellings.status();
    plan->spellings = *spellings;
    plan->verbatim = VerbatimOf(field);
  }
  if (*kind == FieldKind::kMessage) {
    const auto message = Add(*field.message_type());
    if (!message.ok()) return message.status();
    plan->message = *message;
    plan->bare_string = field.message_type()->FindFieldByName(options.bare_string());
  }
  const bool whole_is_bad = options.whole_object() && *kind != FieldKind::kStruct;
  const bool bare_is_bad =
      !options.bare_string().empty() &&
      (plan->bare_string == nullptr || plan->bare_string->type() != FieldDescriptor::TYPE_STRING);
  if (whole_is_bad || bare_is_bad || (options.inline_() && *kind != FieldKind::kMessage)) {
    return absl::InvalidArgumentError(
        absl::StrCat(field.full_name(), " has an option that does not fit its type"));
  }
  return plan;
}

// The JSON name first: what stands there already, stays.
void JsonDecoder::Plan::AddKeys(const FieldPlan& field, MessagePlan& plan) {
  const auto& options = field.field->options().GetExtension(kora::idv::gateway::v1::field);
  plan.slots.insert_or_assign(field.field->json_name(), Slot{&field, true});
  plan.slots.try_emplace(field.field->name(), Slot{&field, false});
  for (const std::string& alias : options.aliases()) {
    plan.slots.try_emplace(alias, Slot{&field, false});
  }
}

void JsonDecoder::Plan::AddInlineKeys(const FieldPlan& field, MessagePlan& plan) {
  for (const auto& [key, slot] : field.message->slots) {
    plan.slots.try_emplace(key, Slot{slot.plan, slot.is_json_name, field.field});
  }
}

JsonDecoder::JsonDecoder(std::unique_ptr<Plan> plan) : plan_(std::move(plan)) {}
JsonDecoder::JsonDecoder(JsonDecoder&&) noexcept = default;
JsonDecoder::~JsonDecoder() = default;

absl::StatusOr<JsonDecoder> JsonDecoder::Compile(const Descriptor& type,
                                                 const FieldDescriptor* list_field, Mode mode) {
  auto plan = std::make_unique<Plan>();
  plan->mode = mode;
  const auto root = plan->Add(type);
  if (!root.ok()) return root.status();
  plan->root = *root;
  for (const auto& field : plan->root->fields) {
    if (field->field == list_field) plan->list = field.get();
  }
  return JsonDecoder(std::move(plan));
}

absl::Status JsonDecoder::Decode(const element& json, Message& message, DriftSink drift) const {
  Reader reader(plan_->mode, drift);
  if (plan_->list != nullptr && json.is_null()) return absl::OkStatus();
  if (plan_->list != nullptr && json.type() == element_type::ARRAY) {
    return reader.ReadField(*plan_->list, json, message);
  }
  if (json.type() != element_type::OBJECT) {
    return absl::InvalidArgumentError(absl::StrCat("expected an object, got ", NameOfType(json)));
  }
  return reader.ReadMessage(*plan_->root, json, message);
}

}  // namespace idv
