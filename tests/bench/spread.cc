#include "tests/bench/spread.h"

#include <absl/strings/str_format.h>

#include <algorithm>

namespace idv::bench {

Spread SpreadOf(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  const double median =
      values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return {.median = median, .min = values.front(), .max = values.back()};
}

std::string Text(const Spread& spread) {
  return absl::StrFormat("%8.2f (%.2f..%.2f)", spread.median, spread.min, spread.max);
}

nlohmann::json ToJson(const Spread& spread) {
  return {{"median", spread.median}, {"min", spread.min}, {"max", spread.max}};
}

void PrintTarget(const char* name, const Spread& value, const char* unit, double at_most) {
  const bool reached = value.median <= at_most;
  absl::PrintF("%s  %-42s%-28s%-5s  at most %g\n", reached ? "PASS" : "MISS", name, Text(value),
               unit, at_most);
}

}  // namespace idv::bench
