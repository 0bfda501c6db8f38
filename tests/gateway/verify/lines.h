#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace idv::verify {

std::vector<std::string> Lines(const std::string& text);

// The objects of a text that has one a line. Throws where it has not.
std::vector<nlohmann::json> JsonLines(const std::string& text);

}  // namespace idv::verify
