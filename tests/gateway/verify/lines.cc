#include "tests/gateway/verify/lines.h"

#include <sstream>

namespace idv::verify {

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::vector<nlohmann::json> JsonLines(const std::string& text) {
  std::vector<nlohmann::json> objects;
  for (const auto& line : Lines(text)) objects.push_back(nlohmann::json::parse(line));
  return objects;
}

}  // namespace idv::verify
