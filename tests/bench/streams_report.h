#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

namespace idv::bench {

// What one round showed, as Meter::Print() writes it.
struct StreamsRound {
  nlohmann::json receive;
  nlohmann::json send;
  nlohmann::json gateway;
  nlohmann::json uploads;
};

// All that one run of the benchmark has found.
struct StreamsFindings {
  std::vector<StreamsRound> rounds;
  uint64_t stream_bytes = 0;  // of images
  uint64_t uploads = 0;
  uint64_t upload_bytes = 0;
  // Of requests that arrived whole, and of their bodies.
  uint64_t requests_expected = 0;
  uint64_t requests_served = 0;
  uint64_t body_bytes_expected = 0;
  uint64_t body_bytes_served = 0;

  bool is_complete() const {
    return requests_served == requests_expected && body_bytes_served == body_bytes_expected;
  }
};

// Prints the tables, and a line for each target that says whether it was reached.
void PrintReport(const StreamsFindings& findings);

// The same figures for a program.
nlohmann::json ToJson(const StreamsFindings& findings);

}  // namespace idv::bench
