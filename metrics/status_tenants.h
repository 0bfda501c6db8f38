#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace idv {

// The tenants of the status page, in HTML: those in trouble first, else in the document's order.
// Of more than twenty, only the first twenty in trouble are shown at once, the rest is folded.
std::string TenantsHtml(const nlohmann::json& status);

}  // namespace idv
