#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <google/protobuf/descriptor.h>

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace idv {

// How the upstream spells the values of one enum, from the `spellings` options of the proto.
// Immutable.
class EnumSpellings {
 public:
  // kInvalidArgument: a value other than the zero one has no spelling, or two values share one.
  static absl::StatusOr<EnumSpellings> Compile(const google::protobuf::EnumDescriptor& type);

  // The spelling to send; nothing for the zero value and for numbers that the enum does not have.
  std::optional<absl::string_view> ToText(int number) const;

  // The number of a spelling in any case; nothing for one that the enum does not know.
  std::optional<int> ToNumber(absl::string_view text) const;

 private:
  absl::flat_hash_map<int, std::string> texts_;
  absl::flat_hash_map<std::string, int> numbers_;  // by lower-case spelling
};

// The spellings of the enums that one plan needs, each compiled once.
class EnumTable {
 public:
  // Lives as long as the table. Errors as EnumSpellings::Compile().
  absl::StatusOr<const EnumSpellings*> Get(const google::protobuf::EnumDescriptor& type);

 private:
  std::map<const google::protobuf::EnumDescriptor*, std::unique_ptr<EnumSpellings>> enums_;
};

// The string field that holds the upstream's own spelling of the enum `field`: its `verbatim_of`
// names it. Null: none.
const google::protobuf::FieldDescriptor* VerbatimOf(const google::protobuf::FieldDescriptor& field);

}  // namespace idv
