// Reads a document of /statusz?format=json from stdin and writes its page to stdout, to look at.

#include <iostream>
#include <nlohmann/json.hpp>

#include "metrics/status_page.h"

int main() {
  std::cout << idv::StatusPage(
      nlohmann::json::parse(std::cin, nullptr, /*allow_exceptions=*/false));
}
