#pragma once

#include <absl/status/statusor.h>
#include <google/protobuf/descriptor.h>

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "upstream/enum_spellings.h"
#include "upstream/field_kind.h"
#include "upstream/key_table.h"

namespace idv {

// What JsonDecoder knows of a message type: compiled once from its descriptor. Immutable then.
struct MessagePlan;

struct FieldPlan {
  const google::protobuf::FieldDescriptor* field = nullptr;
  FieldKind kind = FieldKind::kString;
  int number = 0;
  bool is_list = false;  // a map is none
  bool is_packed = false;
  // A value that equals the default is written too.
  bool has_presence = false;
  const EnumSpellings* spellings = nullptr;
  const MessagePlan* message = nullptr;
  int bare_string = 0;  // the number of a field of `message`; 0: none
  // A message whose keys are also taken one level up.
  bool is_inline = false;
};

// What one JSON key stands for.
struct Slot {
  uint32_t field;  // its place among the fields of the plan
  bool is_json_name;
  // The key is one of that message field's, one level up: its place among the fields of that.
  uint32_t inner_field = 0;
  bool is_inner = false;
};

struct MessagePlan {
  // One field of the message; they stand in the order of their numbers, as protobuf writes them.
  struct Step {
    enum class Kind { kField, kVerbatim, kWholeObject };
    Kind kind;
    int number;
    uint32_t field = 0;  // of kVerbatim: the enum field
  };

  const google::protobuf::Descriptor* type = nullptr;
  std::vector<FieldPlan> fields;
  KeyTable<Slot> slots;
  std::vector<Step> steps;
  bool has_inline = false;
};

// The plans of a type and of those within it, each once; a type may contain itself.
class DecoderPlans {
 public:
  // Errors as JsonDecoder::Compile().
  absl::StatusOr<const MessagePlan*> Add(const google::protobuf::Descriptor& type);

 private:
  absl::StatusOr<FieldPlan> PlanField(const google::protobuf::FieldDescriptor& field);

  EnumTable enums_;
  std::map<const google::protobuf::Descriptor*, std::unique_ptr<MessagePlan>> messages_;
};

}  // namespace idv
