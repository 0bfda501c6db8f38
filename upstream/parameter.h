#pragma once

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <google/protobuf/message.h>

#include <string>
#include <vector>

#include "upstream/enum_spellings.h"

namespace idv {

// A field whose text travels in the path, the query or a header of a request.
struct Parameter {
  // From the message down; only the path of a stream goes deeper than one.
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  // Of the query parameter or the header.
  std::string name;
  bool required = false;
  // Of an enum field.
  const EnumSpellings* spellings = nullptr;
  const google::protobuf::FieldDescriptor* verbatim = nullptr;

  // By its proto names.
  std::string FieldPath() const;

  // Its value as text, empty when it is unset. kInvalidArgument: an enum number that has no
  // spelling.
  absl::StatusOr<std::string> TextIn(const google::protobuf::Message& message) const;
};

// Why a text cannot be one segment of a path, or the value of a header; empty when it can.
absl::string_view PathFault(absl::string_view text);
absl::string_view HeaderFault(absl::string_view text);

// Appends `text` with every character encoded but the unreserved ones (RFC 3986, 2.3).
void AppendPercentEncoded(absl::string_view text, std::string& out);

}  // namespace idv
