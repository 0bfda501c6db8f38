#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "tests/bench/measurement.h"
#include "tests/e2e/call.h"

namespace idv::bench::storm {

// What callers saw of one kind of calls. An ask is a call with its repeats, until its answer.
class Tally {
 public:
  // An ask was answered, so long after its first call, the `tries`th.
  void AddAnswer(Clock::duration wait, size_t tries);
  // It had no answer when the time was over, or got a failure that no repeat cures.
  void AddUnanswered(Clock::duration wait, size_t tries);
  void AddFailure(const e2e::Outcome& outcome);
  // An OK about something else than was asked for: nothing measured means anything then.
  void AddWrongAnswer() { ++wrong_answers_; }

  size_t answered() const { return answered_; }
  size_t unanswered() const { return waits_.size() - answered_; }
  size_t wrong_answers() const { return wrong_answers_; }
  // Asks that needed more than one call.
  size_t repeated() const { return repeated_; }
  // Calls that failed, by "CODE", or "CODE REASON" where there is an ErrorInfo.
  const std::map<std::string, size_t>& failures() const { return failures_; }
  // In seconds; 0 without asks. The unanswered count as long as they have lasted: else whoever
  // answers few would seem quick.
  double WaitSeconds(double quantile) const;

 private:
  void Add(Clock::duration wait, size_t tries);

  size_t answered_ = 0;
  size_t repeated_ = 0;
  size_t wrong_answers_ = 0;
  std::vector<Clock::duration> waits_;
  std::map<std::string, size_t> failures_;
};

}  // namespace idv::bench::storm
