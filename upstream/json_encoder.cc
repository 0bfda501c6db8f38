#include "upstream/json_encoder.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/util/time_util.h>

#include <cmath>
#include <map>
#include <utility>

#include "kora/idv/gateway/v1/annotations.pb.h"
#include "upstream/enum_spellings.h"
#include "upstream/field_kind.h"
#include "upstream/json_text.h"

namespace idv {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

struct MessagePlan;

struct FieldPlan {
  const FieldDescriptor* field;
  std::string key;  // quoted, with the colon
  FieldKind kind;
  bool required;
  const EnumSpellings* spellings = nullptr;
  const FieldDescriptor* verbatim = nullptr;
  const MessagePlan* message = nullptr;
};

struct MessagePlan {
  std::vector<FieldPlan> fields;
};

// Where in the message the writer is, for violations; built into a text only when one occurs.
struct Path {
  const Path* parent;
  absl::string_view name;
  int index;  // -1: not an element

  std::string ToString() const {
    return absl::StrCat(parent == nullptr ? "" : absl::StrCat(parent->ToString(), "."), name,
                        index < 0 ? "" : absl::StrCat("[", index, "]"));
  }
};

class Writer {
 public:
  Writer(const Images* images, JsonBody& body, std::vector<Failure::Violation>& violations)
      : images_(images), body_(body), violations_(violations) {}

  void WriteMessage(const MessagePlan& plan, const Message& message, const Path* parent) {
    body_.Append('{');
    for (const FieldPlan& field : plan.fields) WriteField(field, message, parent);
    CloseBracket('}', body_);
  }

 private:
  void WriteField(const FieldPlan& plan, const Message& message, const Path* parent) {
    const Reflection& reflection = *message.GetReflection();
    const Path path{parent, plan.field->name(), -1};
    if (plan.field->is_repeated()) return WriteList(plan, message, path);
    if (!IsSet(plan, message)) {
      if (plan.required) Violate(path, "required, but unset");
      return;
    }
    body_.Append(plan.key);
    switch (plan.kind) {
      case FieldKind::kMessage:
        WriteMessage(*plan.message, reflection.GetMessage(message, plan.field), &path);
        break;
      case FieldKind::kEnum:
        WriteEnum(plan, message, reflection.GetEnumValue(message, plan.field), path);
        break;
      default:
        WriteScalar(plan, message, -1, path);
    }
    body_.Append(',');
  }

  // A required number or bool is sent whatever it is: zero and false are values too.
  static bool IsSet(const FieldPlan& plan, const Message& message) {
    const Reflection& reflection = *message.GetReflection();
    if (reflection.HasField(message, plan.field)) return true;
    if (plan.verbatim != nullptr && reflection.HasField(message, plan.verbatim)) return true;
    switch (plan.kind) {
      case FieldKind::kBool:
      case FieldKind::kInt32:
      case FieldKind::kInt64:
      case FieldKind::kDouble:
        return plan.required;
      default:
        return false;
    }
  }

  void WriteList(const FieldPlan& plan, const Message& message, const Path& path) {
    const Reflection& reflection = *message.GetReflection();
    const int size = reflection.FieldSize(message, plan.field);
    if (size == 0) {
      if (plan.required) Violate(path, "required, but empty");
      return;
    }
    body_.Append(plan.key);
    body_.Append('[');
    for (int i = 0; i < size; ++i) {
      const Path element{path.parent, path.name, i};
      if (plan.kind == FieldKind::kMessage) {
        WriteMessage(*plan.message, reflection.GetRepeatedMessage(message, plan.field, i),
                     &element);
      } else if (plan.kind == FieldKind::kEnum) {
        WriteEnum(plan, message, reflection.GetRepeatedEnumValue(message, plan.field, i), element);
      } else {
        WriteScalar(plan, message, i, element);
      }
      body_.Append(',');
    }
    CloseBracket(']', body_);
    body_.Append(',');
  }

  void WriteEnum(const FieldPlan& plan, const Message& message, int number, const Path& path) {
    if (const auto text = plan.spellings->ToText(number)) return AppendQuoted(*text, body_);
    if (number != 0 || plan.verbatim == nullptr) {
      return Violate(path, absl::StrCat("the enum has no value ", number));
    }
    AppendQuoted(message.GetReflection()->GetString(message, plan.verbatim), body_);
  }

  // `index` -1: the singular field.
  void WriteScalar(const FieldPlan& plan, const Message& message, int index, const Path& path) {
    const Reflection& reflection = *message.GetReflection();
    const FieldDescriptor* const field = plan.field;
    const bool one = index < 0;
    std::string scratch;
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING: {
        const std::string& text =
            one ? reflection.GetStringReference(message, field, &scratch)
                : reflection.GetRepeatedStringReference(message, field, index, &scratch);
        if (plan.kind == FieldKind::kString) return AppendQuoted(text, body_);
        body_.Append('"');
        // An empty one has no mark.
        body_.AppendBase64(images_ == nullptr || text.empty() ? std::vector<absl::string_view>{text}
                                                              : images_->Of(text));
        return body_.Append('"');
      }
      case FieldDescriptor::CPPTYPE_BOOL:
        return body_.Append((one ? reflection.GetBool(message, field)
                                 : reflection.GetRepeatedBool(message, field, index))
                                ? "true"
                                : "false");
      case FieldDescriptor::CPPTYPE_INT32:
        return AppendNumber(one ? reflection.GetInt32(message, field)
                                : reflection.GetRepeatedInt32(message, field, index),
                            body_);
      case FieldDescriptor::CPPTYPE_INT64:
        return AppendNumber(one ? reflection.GetInt64(message, field)
                                : reflection.GetRepeatedInt64(message, field, index),
                            body_);
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return WriteDouble(one ? reflection.GetDouble(message, field)
                               : reflection.GetRepeatedDouble(message, field, index),
                           path);
      case FieldDescriptor::CPPTYPE_MESSAGE: {
        const Message& value = one ? reflection.GetMessage(message, field)
                                   : reflection.GetRepeatedMessage(message, field, index);
        return plan.kind == FieldKind::kStruct ? WriteStruct(value, path)
                                               : WriteTimestamp(value, path);
      }
      default:  // Compile() lets no other type through
        return;
    }
  }

  void WriteDouble(double number, const Path& path) {
    if (!std::isfinite(number)) return Violate(path, "must be a finite number");
    AppendNumber(number, body_);
  }

  void WriteTimestamp(const Message& message, const Path& path) {
    const auto& time = static_cast<const google::protobuf::Timestamp&>(message);
    using google::protobuf::util::TimeUtil;
    if (time.seconds() < TimeUtil::kTimestampMinSeconds ||
        time.seconds() > TimeUtil::kTimestampMaxSeconds || time.nanos() < 0 ||
        time.nanos() > 999'999'999) {
      return Violate(path, "must be a time within the years 1 to 9999");
    }
    AppendQuoted(TimeUtil::ToString(time), body_);
  }

  void WriteStruct(const Message& message, const Path& path) {
    if (!AppendObject(static_cast<const google::protobuf::Struct&>(message), body_)) {
      Violate(path, "must hold finite numbers only");
    }
  }

  void Violate(const Path& path, std::string description) {
    violations_.push_back({path.ToString(), std::move(description)});
  }

  const Images* const images_;
  JsonBody& body_;
  std::vector<Failure::Violation>& violations_;
};

absl::StatusOr<FieldKind> KnownKindOf(const FieldDescriptor& field) {
  const std::optional<FieldKind> kind = KindOf(field);
  if (kind && *kind != FieldKind::kTextMap) return *kind;
  return absl::UnimplementedError(
      absl::StrCat(field.full_name(), " has a type that no request can carry as JSON"));
}

}  // namespace

struct JsonEncoder::Plan {
  // A plan per message type; a type may contain itself.
  absl::StatusOr<const MessagePlan*> Add(const Descriptor& type,
                                         const std::set<const FieldDescriptor*>& skipped);
  absl::StatusOr<FieldPlan> PlanField(const FieldDescriptor& field);

  const Descriptor* type;
  std::map<const FieldDescriptor*, std::string> keys;
  EnumTable enums;
  std::map<const Descriptor*, std::unique_ptr<MessagePlan>> messages;
  const MessagePlan* root = nullptr;
};

absl::StatusOr<const MessagePlan*> JsonEncoder::Plan::Add(
    const Descriptor& message_type, const std::set<const FieldDescriptor*>& skipped) {
  std::unique_ptr<MessagePlan>& known = messages[&message_type];
  if (known != nullptr) return known.get();
  known = std::make_unique<MessagePlan>();
  MessagePlan* const plan = known.get();
  for (int i = 0; i < message_type.field_count(); ++i) {
    const FieldDescriptor& field = *message_type.field(i);
    const auto& options = field.options().GetExtension(kora::idv::gateway::v1::field);
    if (!options.verbatim_of().empty() || skipped.contains(&field)) continue;
    absl::StatusOr<FieldPlan> field_plan = PlanField(field);
    if (!field_plan.ok()) return field_plan.status();
    plan->fields.push_back(*std::move(field_plan));
  }
  return plan;
}

absl::StatusOr<FieldPlan> JsonEncoder::Plan::PlanField(const FieldDescriptor& field) {
  const auto& options = field.options().GetExtension(kora::idv::gateway::v1::field);
  const absl::StatusOr<FieldKind> kind = KnownKindOf(field);
  if (!kind.ok()) return kind.status();
  const auto key = keys.find(&field);
  FieldPlan plan{
      .field = &field,
      .key = absl::StrCat("\"", key == keys.end() ? field.json_name() : key->second, "\":"),
      .kind = *kind,
      .required = options.required()};
  if (*kind == FieldKind::kEnum) {
    const auto spellings = enums.Get(*field.enum_type());
    if (!spellings.ok()) return spellings.status();
    plan.spellings = *spellings;
    plan.verbatim = VerbatimOf(field);
  }
  if (*kind == FieldKind::kMessage) {
    const auto message = Add(*field.message_type(), {});
    if (!message.ok()) return message.status();
    plan.message = *message;
  }
  return plan;
}

JsonEncoder::JsonEncoder(std::unique_ptr<Plan> plan) : plan_(std::move(plan)) {}
JsonEncoder::JsonEncoder(JsonEncoder&&) noexcept = default;
JsonEncoder::~JsonEncoder() = default;

absl::StatusOr<JsonEncoder> JsonEncoder::Compile(
    const Descriptor& type, const std::set<const FieldDescriptor*>& skipped,
    const std::map<const FieldDescriptor*, std::string>& keys) {
  auto plan = std::make_unique<Plan>();
  plan->type = &type;
  plan->keys = keys;
  const auto root = plan->Add(type, skipped);
  if (!root.ok()) return root.status();
  plan->root = *root;
  return JsonEncoder(std::move(plan));
}

void JsonEncoder::Encode(const Message& message, JsonBody& body,
                         std::vector<Failure::Violation>& violations, const Images* images) const {
  Writer(images, body, violations).WriteMessage(*plan_->root, message, nullptr);
}

std::string JsonEncoder::ProtoPath(absl::string_view json_path) const {
  std::string proto_path;
  const Descriptor* type = plan_->type;
  for (const absl::string_view segment : absl::StrSplit(json_path, '.')) {
    const size_t name_end = std::min(segment.find('['), segment.size());
    const absl::string_view name = segment.substr(0, name_end);
    const FieldDescriptor* found = nullptr;
    for (int i = 0; type != nullptr && i < type->field_count(); ++i) {
      if (type->field(i)->json_name() == name) found = type->field(i);
    }
    absl::StrAppend(&proto_path, proto_path.empty() ? "" : ".",
                    found == nullptr ? name : absl::string_view(found->name()),
                    segment.substr(name_end));
    type = found == nullptr ? nullptr : found->message_type();
  }
  return proto_path;
}

}  // namespace idv
