#pragma once

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <google/protobuf/message.h>

#include <memory>
#include <string>

#include "upstream/json_value.h"

namespace idv {

// Something in an answer of the upstream that the proto does not know: the contract has drifted.
// Never an error.
struct Drift {
  enum class Kind { kUnknownKey, kUnknownEnumValue };
  Kind kind;
  // The full name of the message that lacks the key, or of the enum field.
  absl::string_view where;
  // The key or the value, as it came.
  absl::string_view what;
};
using DriftSink = absl::FunctionRef<void(const Drift&)>;

// Writes messages of one type, in protobuf's wire format, from JSON, after a plan compiled once
// from the descriptor. There is no message object in between: what goes to the caller is bytes, and
// building a message to take it apart again costs three times as much. Tolerant, as the upstream's
// many versions demand: camelCase, snake_case and the proto's aliases for every key (the JSON name
// wins over the others, and of equals the last), null for absent, numbers as texts, a single value
// for a list of one, unknown keys and enum values reported and passed over.
// Immutable after Compile(), so thread-safe.
class JsonDecoder {
 public:
  enum class Mode {
    kStrictTypes,  // a value of the wrong type is an error
    kSkipWrongTypes,
  };

  // `list_field`: the repeated field that a bare array (or null) fills; null if the type has none.
  // Errors, each naming the field: kUnimplemented for a type that no answer can carry,
  // kInvalidArgument for options that contradict the type.
  static absl::StatusOr<JsonDecoder> Compile(const google::protobuf::Descriptor& type,
                                             const google::protobuf::FieldDescriptor* list_field,
                                             Mode mode = Mode::kStrictTypes);

  JsonDecoder(JsonDecoder&&) noexcept;
  ~JsonDecoder();

  // Appends the message to `wire`, field by field in the order of their numbers, as protobuf itself
  // writes it. kInvalidArgument: a value has the wrong type; the text names its key and what was
  // expected, never the value. What was appended is then of no use.
  absl::Status DecodeToWire(const simdjson::dom::element& json, std::string& wire,
                            DriftSink drift) const;

  // The same into a message, for where that is needed and speed is not.
  absl::Status Decode(const simdjson::dom::element& json, google::protobuf::Message& message,
                      DriftSink drift) const;

 private:
  struct Plan;
  explicit JsonDecoder(std::unique_ptr<Plan> plan);

  std::unique_ptr<Plan> plan_;
};

}  // namespace idv
