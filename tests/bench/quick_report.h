#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace idv::bench {

// What one program showed in one round, in both patterns.
struct Figures {
  // As Measurement::Print() writes them.
  nlohmann::json closed;
  nlohmann::json paced;
};

struct Round {
  Figures echo;
  Figures curl;
  Figures gateway;
};

// All that one run of the benchmark has found.
struct Findings {
  std::vector<Round> rounds;
  double rate = 0;
  std::vector<double> ready_ms;
  double idle_mb = 0;
  long idle_ticks = 0;
  double idle_seconds = 0;
  uint64_t upstream_expected = 0;
  uint64_t upstream_served = 0;
};

// Prints the tables, and a line for each target that says whether it was reached.
void PrintReport(const Findings& findings);

// The same figures for a program.
nlohmann::json ToJson(const Findings& findings);

}  // namespace idv::bench
