#pragma once

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace idv {

// Reads JSON texts, with simdjson. Its buffers are kept for the next text; one instance per shard,
// for one thread.
class JsonParser {
 public:
  // The value lives until the next Parse() and may need `text`, which gets padding behind its end.
  // A leading byte order mark is skipped. kInvalidArgument, with simdjson's reason: not one
  // well-formed JSON value in UTF-8, nested deeper than 1,024, or with a number that fits neither
  // 64 bits nor a double.
  absl::StatusOr<simdjson::dom::element> Parse(std::string& text);

 private:
  simdjson::dom::parser parser_;
};

// The value of an element whose type is known.
template <typename T>
T As(const simdjson::dom::element& json) {
  T value{};
  [[maybe_unused]] const simdjson::error_code error = json.get(value);
  return value;
}

inline absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }

// The value as what was hoped for, as far as it can be taken for that; nothing where it cannot.
// A text, a number or a bool, as it is written in JSON.
std::optional<std::string> ToText(const simdjson::dom::element& json);
// A finite number, or a text of one.
std::optional<double> ToDouble(const simdjson::dom::element& json);
// A number without a fraction, or a text of one.
std::optional<int64_t> ToInteger(const simdjson::dom::element& json);
// A bool, or "true" or "false" as a text in any case.
std::optional<bool> ToBool(const simdjson::dom::element& json);

// "an object", "a number": what a value is, for people.
absl::string_view NameOfType(const simdjson::dom::element& json);

}  // namespace idv
