#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace idv::bench {

// A figure over all rounds.
struct Spread {
  double median = 0;
  double min = 0;
  double max = 0;
};

// Of one value at least.
Spread SpreadOf(std::vector<double> values);

std::string Text(const Spread& spread);
nlohmann::json ToJson(const Spread& spread);

// Prints a line that says whether the median reached its target.
void PrintTarget(const char* name, const Spread& value, const char* unit, double at_most);

}  // namespace idv::bench
