#pragma once

#include <google/protobuf/message.h>

#include <string>
#include <vector>

namespace idv {

// Fills `message` from a YAML (or JSON) text, keys being the proto's field names. Every problem is
// added to `problems`, with its path and line: text that is no YAML, unknown and repeated keys,
// values of the wrong type. Null means absent. Fields of type string, bool, int32 and message are
// supported, lists of strings and messages too; others are a problem. False: the text is no YAML or
// not a map, so that nothing was read.
bool ReadYaml(const std::string& text, google::protobuf::Message& message,
              std::vector<std::string>& problems);

}  // namespace idv
