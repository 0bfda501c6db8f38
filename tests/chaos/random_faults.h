#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/chaos/random.h"
#include "tests/e2e/sandbox.h"

namespace idv::chaos {

// Faults for the sandbox: all its kinds with all their parameters, under conditions of all sorts.
// Each is gone by itself after a number of requests or a time.
class RandomFaults {
 public:
  // `endpoints`: such as "GET /verifications/*/images/*".
  RandomFaults(uint64_t seed, std::vector<std::string> endpoints);

  e2e::Json Next();

  // How many of each kind there were.
  const std::map<std::string, size_t>& by_kind() const { return by_kind_; }

 private:
  e2e::Json Status();
  void AddConditions(e2e::Json& fault);

  Random random_;
  const std::vector<std::string> endpoints_;
  Deck<e2e::Json> faults_;
  Deck<int> statuses_;
  std::map<std::string, size_t> by_kind_;
};

}  // namespace idv::chaos
