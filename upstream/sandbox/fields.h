#ifndef UPSTREAM_SANDBOX_FIELDS_H_
#define UPSTREAM_SANDBOX_FIELDS_H_

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "upstream/sandbox/http_message.h"
#include "upstream/sandbox/json.h"

namespace idv::sandbox {

enum class BodyRule { kRequired, kOptional };

// The JSON object of a body, or the 400 it deserves: no JSON, not an object, nested too deeply,
// multipart. An optional body may be missing; it then counts as {}.
std::variant<Json, Response> ParseBody(const RequestHead& head, std::string_view body,
                                       BodyRule rule);

// Reads the members of a JSON object as the vendor does: a member of the wrong JSON type is a
// binding error, a missing or unfit one a VALIDATION_ERROR, null counts as missing, an unknown
// member is ignored, a member in snake_case refused. The first problem sticks; later reads return
// empty values, so that a handler reads everything and then asks refusal() once. Borrows the
// object.
class Fields {
 public:
  explicit Fields(const Json& object, std::string path = "");

  // Not empty.
  std::string RequiredText(const char* key);
  std::optional<std::string> OptionalText(const char* key);
  // At least one, none of them empty.
  std::vector<std::string> RequiredTexts(const char* key);
  // Not empty, standard base64. Returns nothing: images are looked at and forgotten.
  void RequiredImage(const char* key);
  bool OptionalImage(const char* key);          // whether there is one
  std::size_t RequiredImages(const char* key);  // at least one; how many
  std::size_t OptionalImages(const char* key);
  bool RequiredFlag(const char* key);
  std::optional<double> OptionalNumber(const char* key);
  std::optional<std::vector<double>> OptionalNumbers(const char* key);
  std::optional<Json> OptionalObject(const char* key);
  // Objects, each to be read by a Fields of its own with Path(key, index).
  const Json* OptionalList(const char* key);

  // Notes a problem found by the caller.
  void RefuseValue(std::string_view key, std::string_view constraint);
  void Adopt(const Fields& inner);

  std::string Path(const char* key) const { return path_ + key; }
  std::string Path(const char* key, std::size_t index) const;
  const std::optional<Response>& refusal() const { return refusal_; }

 private:
  const Json* Find(const char* key) const;
  const Json* FindTyped(const char* key, bool (Json::*is_type)() const, const char* type_name);
  void RefuseType(const std::string& path, const char* type_name);
  void RefuseSnakeCase();
  std::size_t CountImages(const char* key, const Json& list);

  const Json& object_;
  const std::string path_;
  std::optional<Response> refusal_;
};

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_FIELDS_H_
