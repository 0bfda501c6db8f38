#pragma once

#include <string>
#include <vector>

#include "tests/bench/storm/storm.h"

namespace idv::bench::storm {

struct Shown {
  std::string contender;
  // Why it did not take part; empty: it did.
  std::string skipped;
  // One of each run.
  std::vector<Seen> runs;
};

// Prints the tables, one row per contender, figures being medians of the runs.
void PrintReport(const Size& size, const std::string& plan, const std::vector<Shown>& shown);

}  // namespace idv::bench::storm
