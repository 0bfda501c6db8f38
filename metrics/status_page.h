#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace idv {

// The page of /statusz for people: one HTML document without scripts or anything from elsewhere.
// It first says whether the gateway is ready, and whether trouble is with it, the vendor or its
// callers; the rest is to drill down. `status` is the document of /statusz?format=json. Members of
// it may be missing, of another type, or hold any text. Durations are relative to its `now`.
std::string StatusPage(const nlohmann::json& status);

}  // namespace idv
