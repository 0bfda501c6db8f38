#include "upstream/sandbox/fields.h"

#include <algorithm>

#include "upstream/sandbox/base64.h"
#include "upstream/sandbox/refusals.h"

namespace idv::sandbox {
namespace {

constexpr int kMaxDepth = 100;

bool IsMultipart(const RequestHead& head) {
  const std::string* const type = head.Header("content-type");
  return type != nullptr && type->rfind("multipart/", 0) == 0;
}

bool IsBlank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

// Discarded when it is no JSON or too deep: from there on every value is discarded, the outermost
// too.
Json ParseWithinDepth(std::string_view text) {
  bool too_deep = false;
  const auto watch_depth = [&too_deep](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > kMaxDepth;
    return !too_deep;
  };
  return Json::parse(text, watch_depth, /*allow_exceptions=*/false);
}

}  // namespace

std::variant<Json, Response> ParseBody(const RequestHead& head, std::string_view body,
                                       BodyRule rule) {
  if (IsMultipart(head)) return RefuseBinding("multipart bodies are not supported, send JSON");
  if (IsBlank(body)) {
    if (rule == BodyRule::kOptional) return Json::object();
    return RefuseBinding("EOF");
  }
  Json json = ParseWithinDepth(body);
  if (json.is_discarded()) return RefuseBinding("the body is no valid JSON");
  if (!json.is_object()) return RefuseBinding("the body must be a JSON object");
  return json;
}

Fields::Fields(const Json& object, std::string path) : object_(object), path_(std::move(path)) {
  RefuseSnakeCase();
}

void Fields::RefuseSnakeCase() {
  for (const auto& item : object_.items()) {
    if (item.key().find('_') != std::string::npos) RefuseValue(item.key(), "camelCase");
  }
}

std::string Fields::Path(const char* key, std::size_t index) const {
  return Path(key) + "[" + std::to_string(index) + "]";
}

void Fields::RefuseValue(std::string_view key, std::string_view constraint) {
  if (!refusal_) refusal_ = RefuseField(path_ + std::string(key), constraint);
}

void Fields::RefuseType(const std::string& path, const char* type_name) {
  if (!refusal_) refusal_ = RefuseBinding("cannot read field " + path + " as " + type_name);
}

void Fields::Adopt(const Fields& inner) {
  if (!refusal_) refusal_ = inner.refusal_;
}

const Json* Fields::Find(const char* key) const {
  const auto found = object_.find(key);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

const Json* Fields::FindTyped(const char* key, bool (Json::*is_type)() const,
                              const char* type_name) {
  const Json* const value = Find(key);
  if (value == nullptr || (value->*is_type)()) return value;
  RefuseType(Path(key), type_name);
  return nullptr;
}

std::optional<std::string> Fields::OptionalText(const char* key) {
  const Json* const value = FindTyped(key, &Json::is_string, "a string");
  if (value == nullptr) return std::nullopt;
  return value->get<std::string>();
}

std::string Fields::RequiredText(const char* key) {
  std::string text = OptionalText(key).value_or("");
  if (text.empty()) RefuseValue(key, "required");
  return text;
}

std::vector<std::string> Fields::RequiredTexts(const char* key) {
  std::vector<std::string> texts;
  const Json* const list = FindTyped(key, &Json::is_array, "a list");
  if (list == nullptr || list->empty()) {
    RefuseValue(key, "required");
    return texts;
  }
  for (std::size_t i = 0; i < list->size(); ++i) {
    const Json& item = (*list)[i];
    if (!item.is_string()) {
      RefuseType(Path(key, i), "a string");
      return texts;
    }
    texts.push_back(item.get<std::string>());
    if (texts.back().empty()) RefuseValue(key + ("[" + std::to_string(i) + "]"), "required");
  }
  return texts;
}

void Fields::RequiredImage(const char* key) {
  const Json* const value = FindTyped(key, &Json::is_string, "a string");
  if (value == nullptr || value->get_ref<const std::string&>().empty()) {
    RefuseValue(key, "required");
  } else if (!IsBase64(value->get_ref<const std::string&>())) {
    RefuseValue(key, "base64");
  }
}

bool Fields::OptionalImage(const char* key) {
  if (Find(key) == nullptr) return false;
  RequiredImage(key);
  return true;
}

std::size_t Fields::CountImages(const char* key, const Json& list) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (!list[i].is_string()) {
      RefuseType(Path(key, i), "a string");
    } else if (!IsBase64(list[i].get_ref<const std::string&>())) {
      RefuseValue(key + ("[" + std::to_string(i) + "]"), "base64");
    }
  }
  return list.size();
}

std::size_t Fields::OptionalImages(const char* key) {
  const Json* const list = FindTyped(key, &Json::is_array, "a list");
  return list == nullptr ? 0 : CountImages(key, *list);
}

std::size_t Fields::RequiredImages(const char* key) {
  const std::size_t count = OptionalImages(key);
  if (count == 0) RefuseValue(key, "required");
  return count;
}

bool Fields::RequiredFlag(const char* key) {
  const Json* const value = FindTyped(key, &Json::is_boolean, "a boolean");
  if (value == nullptr) RefuseValue(key, "required");
  return value != nullptr && value->get<bool>();
}

std::optional<double> Fields::OptionalNumber(const char* key) {
  const Json* const value = FindTyped(key, &Json::is_number, "a number");
  if (value == nullptr) return std::nullopt;
  return value->get<double>();
}

std::optional<std::vector<double>> Fields::OptionalNumbers(const char* key) {
  const Json* const list = FindTyped(key, &Json::is_array, "a list");
  if (list == nullptr) return std::nullopt;
  std::vector<double> numbers;
  for (std::size_t i = 0; i < list->size(); ++i) {
    if (!(*list)[i].is_number()) {
      RefuseType(Path(key, i), "a number");
      return std::nullopt;
    }
    numbers.push_back((*list)[i].get<double>());
  }
  return numbers;
}

std::optional<Json> Fields::OptionalObject(const char* key) {
  const Json* const value = FindTyped(key, &Json::is_object, "an object");
  if (value == nullptr) return std::nullopt;
  return *value;
}

const Json* Fields::OptionalList(const char* key) {
  const Json* const list = FindTyped(key, &Json::is_array, "a list");
  if (list == nullptr) return nullptr;
  for (std::size_t i = 0; i < list->size(); ++i) {
    if ((*list)[i].is_object()) continue;
    RefuseType(Path(key, i), "an object");
    return nullptr;
  }
  return list;
}

}  // namespace idv::sandbox
