#pragma once

#include <chrono>
#include <string>

#include "tests/chaos/async_calls.h"
#include "tests/chaos/rpc.h"

namespace idv::chaos {

// What may explain how a call ended.
struct Circumstances {
  std::chrono::milliseconds timeout;
  bool was_to_be_cancelled = false;
  bool was_cut = false;  // its connection was
};

// What is wrong with how a call to the gateway ended while anything may have gone wrong at the
// upstream; empty: nothing. It must have ended by its deadline, with an answer that can be read,
// with a failure that callers are told of in the README, or for a reason of the client's own.
std::string Judge(const Rpc& rpc, const Circumstances& circumstances, const Ending& ending);

}  // namespace idv::chaos
