#pragma once

#include <absl/strings/string_view.h>
#include <google/protobuf/struct.pb.h>

#include <cstdint>

#include "upstream/json_body.h"

namespace idv {

// The words of JSON, each appended to a body.

// A text in quotes. Its control characters and whatever JSON takes for its own are escaped; it must
// be valid UTF-8.
void AppendQuoted(absl::string_view text, JsonBody& body);

// The shortest text that reads back as the same number; a double must be finite.
void AppendNumber(int32_t number, JsonBody& body);
void AppendNumber(int64_t number, JsonBody& body);
void AppendNumber(double number, JsonBody& body);

// A free object, which protobuf's own limit on nesting has bounded when it was parsed. False: a
// number in it is not finite; the body is then of no use.
bool AppendObject(const google::protobuf::Struct& object, JsonBody& body);

// Ends an object or a list whose every member has left a comma behind it.
void CloseBracket(char bracket, JsonBody& body);

}  // namespace idv
