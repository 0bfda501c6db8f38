#include "metrics/lenient_json.h"

#include <cmath>

namespace idv {

const nlohmann::json& Member(const nlohmann::json& value, std::initializer_list<const char*> path) {
  static const nlohmann::json kNull;
  const nlohmann::json* found = &value;
  for (const char* const key : path) {
    const auto member = found->find(key);
    if (member == found->end()) return kNull;
    found = &*member;
  }
  return *found;
}

const nlohmann::json::array_t& Elements(const nlohmann::json& value) {
  static const nlohmann::json::array_t kNone;
  return value.is_array() ? value.get_ref<const nlohmann::json::array_t&>() : kNone;
}

std::string TextOf(const nlohmann::json& value) {
  return value.is_string() ? value.get<std::string>() : "";
}

std::optional<double> NumberOf(const nlohmann::json& value) {
  if (!value.is_number()) return std::nullopt;
  const double number = value.get<double>();
  return std::isfinite(number) ? std::optional(number) : std::nullopt;
}

std::optional<absl::Time> TimeOf(const nlohmann::json& value) {
  absl::Time time;
  if (!absl::ParseTime(absl::RFC3339_full, TextOf(value), &time, nullptr)) return std::nullopt;
  const bool is_finite = time != absl::InfiniteFuture() && time != absl::InfinitePast();
  return is_finite ? std::optional(time) : std::nullopt;
}

}  // namespace idv
