#pragma once

#include <iosfwd>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "tests/chaos/async_calls.h"
#include "tests/chaos/judge.h"
#include "tests/chaos/rpc.h"
#include "tests/e2e/sandbox.h"

namespace idv::chaos {

// Which calls were begun, how each of them ended, and what is wrong with that. Thread-safe.
class Ledger {
 public:
  // Borrows the RPCs; a call's is given by its place among them.
  explicit Ledger(const std::vector<Rpc>& rpcs) : rpcs_(rpcs), calls_(rpcs.size()) {}

  void Begin(size_t rpc);
  void End(size_t rpc, const Circumstances& circumstances, const Ending& ending);
  // What the upstream has received since the last time. All in all these must be at least the
  // requests that it answered for a call, and with a body no more than calls may have sent.
  void Compare(const e2e::Json& requests);

  size_t begun() const;
  size_t ended() const;
  // Of the calls that ended so, as EndingOf() has it.
  size_t Count(const std::string& ending) const;
  size_t Successes(const Rpc& rpc) const;
  // Of the calls that their connection's end ended.
  size_t Cut() const;
  // The first of what was wrong.
  std::vector<std::string> problems() const;

  // Method by status, and all endings with their reasons.
  void Print(std::ostream& out) const;
  // The time that all calls took together.
  std::chrono::microseconds took() const;

 private:
  // The calls of one RPC.
  struct Calls {
    size_t begun = 0;
    size_t answered = 0;         // by the upstream
    size_t unsent = 0;           // refused before
    size_t received = 0;         // requests, by the upstream
    size_t received_bodies = 0;  // of these, with something of a body: what may act
  };

  void Note(const std::string& problem);

  const std::vector<Rpc>& rpcs_;
  mutable std::mutex mutex_;
  // All protected by mutex_.
  size_t begun_ = 0;
  size_t ended_ = 0;
  size_t cut_ = 0;
  std::chrono::microseconds took_{0};  // all of them together
  std::vector<Calls> calls_;
  std::map<std::string, std::map<std::string, size_t>> by_method_;  // then by status
  std::map<std::string, size_t> by_ending_;
  std::vector<std::string> problems_;
};

}  // namespace idv::chaos
