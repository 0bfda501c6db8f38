#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "tests/bench/measurement.h"
#include "tests/bench/storm/call_loop.h"
#include "tests/bench/storm/tally.h"

namespace idv::bench::storm {

// A caller that asks again what failed for now (RESOURCE_EXHAUSTED, UNAVAILABLE,
// DEADLINE_EXCEEDED), after the wait that it was told, or else a second. One ask at a time.
class Asker {
 public:
  struct Terms {
    std::string priority;  // x-idv-priority
    std::chrono::milliseconds deadline{};
    // Nothing starts after it; what is under way may end.
    TimePoint end;
  };

  // Borrows the loop and the tally.
  Asker(CallLoop& loop, std::shared_ptr<grpc::Channel> channel, const Terms& terms, Tally& tally);

  // `then` gets the answer's message; nullptr when a failure is one that no repeat cures. It is not
  // run if the time is over before, or would be before the next call.
  void Ask(Request request, std::function<void(const grpc::ByteBuffer*)> then);
  // `then` is not run if the time is over before.
  void Pause(Clock::duration duration, std::function<void()> then);
  // Ends the call under way.
  void Cancel() { line_.Cancel(); }

 private:
  void Try();
  void OnAnswer(const Answer& answer);
  void OnFailure(const e2e::Outcome& outcome);

  const TimePoint end_;
  const e2e::CallOptions options_;
  Tally& tally_;
  Line line_;

  // Of the ask under way.
  Request request_;
  std::function<void(const grpc::ByteBuffer*)> then_;
  TimePoint since_;
  size_t tries_ = 0;
};

}  // namespace idv::bench::storm
