#include "upstream/json_decoder.h"

#include <absl/container/inlined_vector.h>
#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <google/protobuf/timestamp.pb.h>

#include <cstring>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "upstream/decoder_plan.h"
#include "upstream/rfc3339.h"
#include "upstream/struct_wire.h"
#include "upstream/wire_writer.h"

namespace idv {
namespace {

using google::protobuf::Timestamp;
using simdjson::dom::element;
using simdjson::dom::element_type;

// Of the entries of every protobuf map.
constexpr int kMapKey = 1;
constexpr int kMapValue = 2;

absl::string_view Expectation(FieldKind kind) {
  switch (kind) {
    case FieldKind::kString:
    case FieldKind::kEnum:
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

bool IsEmpty(const element& json) {
  switch (json.type()) {
    case element_type::STRING:
      return As<std::string_view>(json).empty();
    case element_type::ARRAY:
      return As<simdjson::dom::array>(json).size() == 0;
    default:
      return false;
  }
}

// The value that a message has for one of its fields, by whichever of its keys.
class Choice {
 public:
  bool made() const { return made_; }
  const element& value() const { return value_; }

  // The JSON name beats the other keys, and of equals the last wins, but an empty value is none
  // yet.
  void Offer(const element& value, bool is_json_name) {
    if (made_ && !is_json_name && !IsEmpty(value_)) return;
    made_ = true;
    value_ = value;
  }

 private:
  bool made_ = false;
  element value_;
};

// By place of the field; most messages fit without an allocation.
using Choices = absl::InlinedVector<Choice, 40>;

// What was found for the fields of a message: in two steps, so that the fields can be written in
// their order, whatever that of the keys was.
struct Found {
  explicit Found(const MessagePlan& plan) : choices(plan.fields.size()) {
    if (!plan.has_inline) return;
    for (const FieldPlan& field : plan.fields) {
      inner.emplace_back(field.is_inline ? field.message->fields.size() : 0);
    }
  }

  bool HasInner(uint32_t field) const {
    if (inner.empty()) return false;
    for (const Choice& choice : inner[field]) {
      if (choice.made()) return true;
    }
    return false;
  }

  Choices choices;
  std::vector<Choices> inner;  // for the keys of an inline field that stand one level up
};

class Writer {
 public:
  Writer(JsonDecoder::Mode mode, DriftSink drift, std::string& out)
      : mode_(mode), drift_(drift), wire_(out) {}

  absl::Status WriteObject(const MessagePlan& plan, const element& json) {
    Found found(plan);
    Collect(plan, json, found);
    return WriteFields(plan, &json, found);
  }

  absl::Status WriteField(const FieldPlan& plan, const element& json) {
    return plan.is_list ? WriteList(plan, json) : WriteValue(plan, json, /*is_element=*/false);
  }

 private:
  void Collect(const MessagePlan& plan, const element& json, Found& found) {
    for (const auto [key, value] : As<simdjson::dom::object>(json)) {
      const Slot* const slot = plan.slots.Find(ToAbsl(key));
      if (slot == nullptr) {
        drift_({Drift::Kind::kUnknownKey, plan.type->full_name(), ToAbsl(key)});
      } else if (!value.is_null()) {
        Choice& choice = slot->is_inner ? found.inner[slot->field][slot->inner_field]
                                        : found.choices[slot->field];
        choice.Offer(value, slot->is_json_name);
      }
    }
  }

  // `json`: the object itself; null for one that has no object of its own.
  absl::Status WriteFields(const MessagePlan& plan, const element* json, const Found& found) {
    using Kind = MessagePlan::Step::Kind;
    for (const MessagePlan::Step& step : plan.steps) {
      absl::Status status;
      if (step.kind == Kind::kWholeObject) {
        status = json == nullptr ? absl::OkStatus() : WriteWholeObject(step.number, *json);
      } else if (step.kind == Kind::kField && found.HasInner(step.field)) {
        status = WriteInline(plan.fields[step.field], found, step.field);
      } else if (const Choice& choice = found.choices[step.field]; choice.made()) {
        status = step.kind == Kind::kField ? WriteField(plan.fields[step.field], choice.value())
                                           : WriteVerbatim(step.number, choice.value());
      }
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status WriteWholeObject(int number, const element& json) {
    const size_t start = wire_.size();
    const size_t begin = wire_.Begin(number);
    if (AppendStruct(json, wire_)) {
      wire_.End(begin);
      return absl::OkStatus();
    }
    wire_.BackTo(start);
    if (mode_ == JsonDecoder::Mode::kSkipWrongTypes) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("expected ", Expectation(FieldKind::kStruct), ", got one nested deeper"));
  }

  // A message some of whose keys stand one level up, beside an object of its own or without one.
  absl::Status WriteInline(const FieldPlan& plan, const Found& outer, uint32_t field) {
    const Choice& own = outer.choices[field];
    if (own.made() && own.value().type() != element_type::OBJECT) {
      return Mismatch(plan, own.value(), Expectation(plan.kind));
    }
    Found found(*plan.message);
    found.choices = outer.inner[field];
    if (own.made()) Collect(*plan.message, own.value(), found);
    const size_t begin = wire_.Begin(plan.number);
    absl::Status status = WriteFields(*plan.message, own.made() ? &own.value() : nullptr, found);
    wire_.End(begin);
    return Within(plan, std::move(status));
  }

  // The text of an enum as it came; what is no text, the enum itself has refused.
  absl::Status WriteVerbatim(int number, const element& json) {
    std::string_view text;
    if (json.get(text) == simdjson::SUCCESS && !text.empty()) wire_.Bytes(number, ToAbsl(text));
    return absl::OkStatus();
  }

  absl::Status WriteList(const FieldPlan& plan, const element& json) {
    if (json.type() == element_type::OBJECT) return Mismatch(plan, json, "an array");
    const size_t start = wire_.size();
    const size_t begin = plan.is_packed ? wire_.Begin(plan.number) : start;
    if (json.type() == element_type::ARRAY) {
      for (const element item : As<simdjson::dom::array>(json)) {
        if (item.is_null()) continue;
        absl::Status status = WriteValue(plan, item, /*is_element=*/true);
        if (!status.ok()) return status;
      }
    } else {
      // One value in place of a list of one.
      absl::Status status = WriteValue(plan, json, /*is_element=*/true);
      if (!status.ok()) return status;
    }
    if (!plan.is_packed) return absl::OkStatus();
    wire_.size() == begin ? wire_.BackTo(start) : wire_.End(begin);
    return absl::OkStatus();
  }

  // Writes a singular field, or an element of a repeated one.
  absl::Status WriteValue(const FieldPlan& plan, const element& json, bool is_element) {
    bool fits = true;
    switch (plan.kind) {
      case FieldKind::kString:
        fits = WriteText(plan, json, is_element);
        break;
      case FieldKind::kBytes:
        fits = WriteBytes(plan, json, is_element);
        break;
      case FieldKind::kBool: {
        const auto value = ToBool(json);
        fits = value.has_value();
        if (fits) WriteVarint(plan, *value ? 1 : 0, is_element);
        break;
      }
      case FieldKind::kInt32: {
        const auto value = ToInteger(json);
        fits = value && *value >= std::numeric_limits<int32_t>::min() &&
               *value <= std::numeric_limits<int32_t>::max();
        if (fits) WriteVarint(plan, static_cast<uint64_t>(*value), is_element);
        break;
      }
      case FieldKind::kInt64: {
        const auto value = ToInteger(json);
        fits = value.has_value();
        if (fits) WriteVarint(plan, static_cast<uint64_t>(*value), is_element);
        break;
      }
      case FieldKind::kDouble: {
        const auto value = ToDouble(json);
        fits = value.has_value();
        if (fits) WriteDouble(plan, *value, is_element);
        break;
      }
      case FieldKind::kEnum:
        fits = json.type() == element_type::STRING;
        if (fits) WriteEnum(plan, ToAbsl(As<std::string_view>(json)), is_element);
        break;
      case FieldKind::kMessage:
        return WriteMessage(plan, json);
      case FieldKind::kStruct:
        fits = WriteStruct(plan, json);
        break;
      case FieldKind::kTimestamp:
        fits = WriteTimestamp(plan, json);
        break;
      case FieldKind::kTextMap:
        fits = WriteTextMap(plan, json);
        break;
    }
    return fits ? absl::OkStatus() : Mismatch(plan, json, Expectation(plan.kind));
  }

  // A default value is written only where its being there means something.
  static bool IsWritten(const FieldPlan& plan, bool is_default, bool is_element) {
    return !is_default || plan.has_presence || is_element;
  }

  void WriteVarint(const FieldPlan& plan, uint64_t value, bool is_element) {
    if (is_element && plan.is_packed) {
      wire_.BareVarint(value);
    } else if (IsWritten(plan, value == 0, is_element)) {
      wire_.Varint(plan.number, value);
    }
  }

  void WriteDouble(const FieldPlan& plan, double value, bool is_element) {
    uint64_t bits = 0;  // of -0.0 they are not 0, and it is not the default
    std::memcpy(&bits, &value, sizeof bits);
    if (is_element && plan.is_packed) {
      wire_.BareDouble(value);
    } else if (IsWritten(plan, bits == 0, is_element)) {
      wire_.Double(plan.number, value);
    }
  }

  bool WriteText(const FieldPlan& plan, const element& json, bool is_element) {
    std::string_view text;
    if (json.get(text) == simdjson::SUCCESS) {
      if (IsWritten(plan, text.empty(), is_element)) wire_.Bytes(plan.number, ToAbsl(text));
      return true;
    }
    const std::optional<std::string> other = ToText(json);
    if (other) wire_.Bytes(plan.number, *other);
    return other.has_value();
  }

  bool WriteBytes(const FieldPlan& plan, const element& json, bool is_element) {
    std::string_view text;
    std::string bytes;
    if (json.get(text) != simdjson::SUCCESS || !absl::Base64Unescape(ToAbsl(text), &bytes)) {
      return false;
    }
    if (IsWritten(plan, bytes.empty(), is_element)) wire_.Bytes(plan.number, bytes);
    return true;
  }

  void WriteEnum(const FieldPlan& plan, absl::string_view text, bool is_element) {
    const std::optional<int> number = plan.spellings->ToNumber(text);
    if (!number && !text.empty()) {
      drift_({Drift::Kind::kUnknownEnumValue, plan.field->full_name(), text});
    }
    WriteVarint(plan, static_cast<uint64_t>(int64_t{number.value_or(0)}), is_element);
  }

  absl::Status WriteMessage(const FieldPlan& plan, const element& json) {
    const bool is_bare = plan.bare_string != 0 && json.type() == element_type::STRING;
    if (!is_bare && json.type() != element_type::OBJECT) {
      return Mismatch(plan, json, Expectation(plan.kind));
    }
    const size_t begin = wire_.Begin(plan.number);
    absl::Status status;
    if (!is_bare) {
      status = WriteObject(*plan.message, json);
    } else if (const auto text = As<std::string_view>(json); !text.empty()) {
      wire_.Bytes(plan.bare_string, ToAbsl(text));
    }
    wire_.End(begin);
    return Within(plan, std::move(status));
  }

  bool WriteStruct(const FieldPlan& plan, const element& json) {
    const size_t start = wire_.size();
    const size_t begin = wire_.Begin(plan.number);
    if (!AppendStruct(json, wire_)) {
      wire_.BackTo(start);
      return false;
    }
    wire_.End(begin);
    return true;
  }

  bool WriteTimestamp(const FieldPlan& plan, const element& json) {
    std::string_view text;
    if (json.get(text) != simdjson::SUCCESS) return false;
    if (text.empty()) return true;  // how some servers write an unset time
    const std::optional<Timestamp> time = ParseRfc3339(ToAbsl(text));
    if (!time) return false;
    const size_t begin = wire_.Begin(plan.number);
    if (time->seconds() != 0) {
      wire_.Varint(Timestamp::kSecondsFieldNumber, static_cast<uint64_t>(time->seconds()));
    }
    if (time->nanos() != 0) {
      wire_.Varint(Timestamp::kNanosFieldNumber, static_cast<uint64_t>(time->nanos()));
    }
    wire_.End(begin);
    return true;
  }

  bool WriteTextMap(const FieldPlan& plan, const element& json) {
    if (json.type() != element_type::OBJECT) return false;
    for (const auto [key, value] : As<simdjson::dom::object>(json)) {
      if (value.is_null()) continue;
      const std::optional<std::string> text = ToText(value);
      if (!text) return false;
      const size_t begin = wire_.Begin(plan.number);
      wire_.Bytes(kMapKey, ToAbsl(key));
      wire_.Bytes(kMapValue, *text);
      wire_.End(begin);
    }
    return true;
  }

  static absl::Status Within(const FieldPlan& plan, absl::Status status) {
    if (status.ok()) return status;
    return absl::InvalidArgumentError(absl::StrCat(plan.field->json_name(), ".", status.message()));
  }

  absl::Status Mismatch(const FieldPlan& plan, const element& json, absl::string_view expected) {
    if (mode_ == JsonDecoder::Mode::kSkipWrongTypes) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat(plan.field->json_name(), ": expected ", expected, ", got ", NameOfType(json)));
  }

  const JsonDecoder::Mode mode_;
  const DriftSink drift_;
  WireWriter wire_;
};

}  // namespace

struct JsonDecoder::Plan {
  Mode mode = Mode::kStrictTypes;
  DecoderPlans plans;
  const MessagePlan* root = nullptr;
  const FieldPlan* list = nullptr;
};

JsonDecoder::JsonDecoder(std::unique_ptr<Plan> plan) : plan_(std::move(plan)) {}
JsonDecoder::JsonDecoder(JsonDecoder&&) noexcept = default;
JsonDecoder::~JsonDecoder() = default;

absl::StatusOr<JsonDecoder> JsonDecoder::Compile(
    const google::protobuf::Descriptor& type, const google::protobuf::FieldDescriptor* list_field,
    Mode mode) {
  auto plan = std::make_unique<Plan>();
  plan->mode = mode;
  const auto root = plan->plans.Add(type);
  if (!root.ok()) return root.status();
  plan->root = *root;
  for (const FieldPlan& field : plan->root->fields) {
    if (field.field == list_field) plan->list = &field;
  }
  return JsonDecoder(std::move(plan));
}

absl::Status JsonDecoder::DecodeToWire(const element& json, std::string& wire,
                                       DriftSink drift) const {
  Writer writer(plan_->mode, drift, wire);
  if (plan_->list != nullptr && json.is_null()) return absl::OkStatus();
  if (plan_->list != nullptr && json.type() == element_type::ARRAY) {
    return writer.WriteField(*plan_->list, json);
  }
  if (json.type() != element_type::OBJECT) {
    return absl::InvalidArgumentError(absl::StrCat("expected an object, got ", NameOfType(json)));
  }
  return writer.WriteObject(*plan_->root, json);
}

absl::Status JsonDecoder::Decode(const element& json, google::protobuf::Message& message,
                                 DriftSink drift) const {
  std::string wire;
  absl::Status status = DecodeToWire(json, wire, drift);
  if (!status.ok()) return status;
  // What was written by the message's own descriptor can be read by it.
  if (!message.ParseFromString(wire)) return absl::InternalError("written wrongly");
  return absl::OkStatus();
}

}  // namespace idv
