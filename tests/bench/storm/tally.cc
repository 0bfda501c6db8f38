#include "tests/bench/storm/tally.h"

#include <absl/status/status.h>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace idv::bench::storm {

void Tally::Add(Clock::duration wait, size_t tries) {
  waits_.push_back(wait);
  if (tries > 1) ++repeated_;
}

void Tally::AddAnswer(Clock::duration wait, size_t tries) {
  ++answered_;
  Add(wait, tries);
}

void Tally::AddUnanswered(Clock::duration wait, size_t tries) { Add(wait, tries); }

void Tally::AddFailure(const e2e::Outcome& outcome) {
  std::string name =
      absl::StatusCodeToString(static_cast<absl::StatusCode>(outcome.status.error_code()));
  if (!outcome.reason().empty()) name += " " + outcome.reason();
  ++failures_[name];
}

double Tally::WaitSeconds(double quantile) const {
  if (waits_.empty()) return 0;
  std::vector<Clock::duration> sorted = waits_;
  std::sort(sorted.begin(), sorted.end());
  const auto rank = static_cast<size_t>(std::ceil(quantile * static_cast<double>(sorted.size())));
  return std::chrono::duration<double>(sorted[std::max<size_t>(rank, 1) - 1]).count();
}

}  // namespace idv::bench::storm
