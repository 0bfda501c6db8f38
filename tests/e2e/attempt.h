#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "tests/e2e/call.h"

namespace idv::e2e {

// What a caller must be told, with the blame of ErrorInfo; an empty reason for success.
struct Told {
  grpc::StatusCode code = grpc::StatusCode::OK;
  std::string reason = {};
  std::string blame = {};
};

inline const Told kFine;
inline const Told kTimedOut{grpc::StatusCode::DEADLINE_EXCEEDED, "UPSTREAM_TIMEOUT", "vendor"};
inline const Told kLost{grpc::StatusCode::UNAVAILABLE, "UPSTREAM_UNREACHABLE", "vendor"};
inline const Told kUnavailable{grpc::StatusCode::UNAVAILABLE, "UPSTREAM_UNAVAILABLE", "vendor"};
inline const Told kBadResponse{grpc::StatusCode::INTERNAL, "UPSTREAM_BAD_RESPONSE", "vendor"};
inline const Told kTooLarge{grpc::StatusCode::INTERNAL, "UPSTREAM_RESPONSE_TOO_LARGE", "vendor"};

// How much later than its deadline a call may end.
inline constexpr std::chrono::milliseconds kLateness{50};

// How a call ended, and by when it had to.
struct Attempt : Outcome {
  bool late() const;

  std::chrono::milliseconds took{0};
  std::chrono::milliseconds timeout{0};
};

// "OK", or the reason and the blame.
std::string Describe(const Outcome& outcome);

Attempt Timed(std::chrono::milliseconds timeout, const std::function<Outcome()>& call);
// The machine may be busy with something else: a call that was late is made again, twice at most.
Attempt InTime(const std::function<Attempt()>& call);

// Checks both what the caller was told and when.
void ExpectTold(const Attempt& attempt, const Told& told);

// GET /alerts and POST /verifications, which need nothing that was there before, and GET /health.
Attempt TryGet(const Client& client, std::chrono::milliseconds timeout);
Attempt TryPost(const Client& client, std::chrono::milliseconds timeout,
                const std::string& external_id = "test-approve-1");
Attempt TryHealth(const Client& client, std::chrono::milliseconds timeout);

}  // namespace idv::e2e
