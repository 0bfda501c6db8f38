#pragma once

#include <absl/time/time.h>

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace idv {

// Reads documents in which any member may be missing, or be of another type than expected.

// What is found along the path of keys; null where it ends early.
const nlohmann::json& Member(const nlohmann::json& value, std::initializer_list<const char*> path);

// None for what is no array.
const nlohmann::json::array_t& Elements(const nlohmann::json& value);

// Empty for what is no string.
std::string TextOf(const nlohmann::json& value);

// Finite ones only.
std::optional<double> NumberOf(const nlohmann::json& value);

// From RFC 3339 text.
std::optional<absl::Time> TimeOf(const nlohmann::json& value);

}  // namespace idv
