#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/chaos/async_calls.h"
#include "tests/chaos/cuttable_connection.h"
#include "tests/chaos/ledger.h"
#include "tests/chaos/random.h"
#include "tests/chaos/random_calls.h"
#include "tests/chaos/random_faults.h"
#include "tests/chaos/rpc.h"
#include "tests/e2e/sandbox.h"

namespace idv::chaos {

// Random calls to a gateway, many at a time, over connections that are dropped now and then, while
// random faults come and go at its upstream.
class Storm {
 public:
  // Borrows the upstream. `address`: the gateway's.
  Storm(uint64_t seed, const e2e::Sandbox& upstream, std::string address);

  // Storms for that time and then clears up: all calls and faults are over. False, much later, if
  // calls do not end.
  bool Rage(const Subjects& subjects, std::chrono::milliseconds time);

  const std::vector<Rpc>& rpcs() const { return rpcs_; }
  Ledger& ledger() { return ledger_; }
  const RandomFaults& faults() const { return faults_; }
  // On average.
  size_t in_flight() const { return static_cast<size_t>(ledger_.took() / raged_); }

 private:
  std::unique_ptr<CuttableConnection> NewConnection() const;
  void Call(const Subjects& subjects);
  void Drop();

  const e2e::Sandbox& upstream_;
  const std::string address_;
  const std::vector<Rpc> rpcs_ = UnaryRpcs();
  RandomCalls random_calls_;
  RandomFaults faults_;
  Random random_;
  std::chrono::steady_clock::duration raged_{0};
  std::vector<std::unique_ptr<CuttableConnection>> connections_;
  Ledger ledger_{rpcs_};
  AsyncCalls calls_;
};

}  // namespace idv::chaos
