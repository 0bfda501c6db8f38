#include "gateway/yaml_message.h"

#include <absl/strings/str_cat.h>
#include <simdjson.h>
#include <yaml-cpp/yaml.h>

#include <set>

namespace idv {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

class Reader {
 public:
  explicit Reader(std::vector<std::string>& problems) : problems_(problems) {}

  void ReadMessage(const YAML::Node& node, const std::string& path, Message& message) {
    if (node.IsNull()) return;
    if (!node.IsMap()) return Report(node, path, "expected keys and values");
    std::set<std::string> seen;
    for (const auto& entry : node) {
      const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "(no text)";
      const std::string key_path = path.empty() ? key : absl::StrCat(path, ".", key);
      const FieldDescriptor* const field = message.GetDescriptor()->FindFieldByName(key);
      if (field == nullptr) {
        Report(entry.first, key_path, "unknown key");
      } else if (!seen.insert(key).second) {
        Report(entry.first, key_path, "given twice");
      } else if (!entry.second.IsNull()) {
        ReadField(entry.second, key_path, *field, message);
      }
    }
  }

 private:
  void ReadField(const YAML::Node& node, const std::string& path, const FieldDescriptor& field,
                 Message& message) {
    const auto* const oneof = field.real_containing_oneof();
    if (oneof != nullptr && message.GetReflection()->HasOneof(message, oneof)) {
      return Report(node, path, "another of the alternatives is given already");
    }
    if (!field.is_repeated()) return ReadValue(node, path, field, message);
    if (!node.IsSequence()) return Report(node, path, "expected a list");
    size_t index = 0;
    for (const auto& item : node) {
      ReadValue(item, absl::StrCat(path, "[", index++, "]"), field, message);
    }
  }

  // Sets a single field, or adds to a repeated one.
  void ReadValue(const YAML::Node& node, const std::string& path, const FieldDescriptor& field,
                 Message& message) {
    const Reflection& reflection = *message.GetReflection();
    const bool add = field.is_repeated();
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      return ReadMessage(node, path,
                         add ? *reflection.AddMessage(&message, &field)
                             : *reflection.MutableMessage(&message, &field));
    }
    if (!node.IsScalar()) return Report(node, path, "expected a single value");
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        // yaml-cpp passes any bytes on; protobuf takes UTF-8 only.
        if (!simdjson::validate_utf8(node.Scalar())) return Report(node, path, "expected UTF-8");
        add ? reflection.AddString(&message, &field, node.Scalar())
            : reflection.SetString(&message, &field, node.Scalar());
        return;
      case FieldDescriptor::CPPTYPE_BOOL:
        if (bool value = false; YAML::convert<bool>::decode(node, value)) {
          return reflection.SetBool(&message, &field, value);
        }
        return Report(node, path, "expected true or false");
      case FieldDescriptor::CPPTYPE_INT32:
        if (int32_t value = 0; YAML::convert<int32_t>::decode(node, value)) {
          return reflection.SetInt32(&message, &field, value);
        }
        return Report(node, path, "expected a whole number");
      case FieldDescriptor::CPPTYPE_DOUBLE:
        if (double value = 0; YAML::convert<double>::decode(node, value)) {
          return reflection.SetDouble(&message, &field, value);
        }
        return Report(node, path, "expected a number");
      default:
        return Report(node, path, "has a type that cannot be configured");
    }
  }

  void Report(const YAML::Node& node, const std::string& path, const char* what) {
    problems_.push_back(absl::StrCat(path.empty() ? "the file" : path, ": ", what, " (line ",
                                     node.Mark().line + 1, ")"));
  }

  std::vector<std::string>& problems_;
};

}  // namespace

bool ReadYaml(const std::string& text, Message& message, std::vector<std::string>& problems) {
  // yaml-cpp reports by exceptions; they end here.
  try {
    const YAML::Node root = YAML::Load(text);
    Reader(problems).ReadMessage(root, "", message);
    return root.IsMap() || root.IsNull();
  } catch (const YAML::Exception& error) {
    problems.push_back(
        absl::StrCat("not well-formed YAML: ", error.msg, " (line ", error.mark.line + 1, ")"));
    return false;
  }
}

}  // namespace idv
