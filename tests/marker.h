#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace idv {

// A text that no program says by itself: where it comes out, it was passed on from where it was
// put.
inline const std::string kMarker = "Qx7Marker";

// `text` with the marker in it, where no reader has any business with it: at the end of what is no
// JSON, under a key that nobody knows in an object, and as an element beside any other value.
inline std::string WithMarker(const std::string& text) {
  nlohmann::json json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return text + kMarker;
  if (json.is_object()) {
    json["Qx7Unknown"] = kMarker;
  } else {
    json = {std::move(json), kMarker};
  }
  using Json = nlohmann::json;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// `json` with the marker in the place of every text, and a number like no other in the place of
// every number.
inline void MarkValues(nlohmann::json& json) {
  if (json.is_string()) json = kMarker;
  if (json.is_number()) json = 918273645;
  if (!json.is_structured()) return;
  for (nlohmann::json& value : json) MarkValues(value);
}

// A failed answer like `body` with the marker in all its texts but the upstream's error codes: none
// of them may be shown where they may speak of our key (401, 403).
inline std::string ErrorOfMarkers(const std::string& body) {
  nlohmann::json json = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) json = {{"error", ""}, {"message", ""}, {"detail", ""}};
  MarkValues(json);
  json.erase("code");
  if (json["error"].is_object()) json["error"].erase("code");
  return json.dump();
}

}  // namespace idv
