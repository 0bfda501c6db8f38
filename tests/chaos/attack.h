#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/chaos/raw_connection.h"
#include "tests/e2e/call.h"
#include "tests/e2e/gateway.h"
#include "tests/e2e/sandbox.h"

namespace idv::chaos {

// How what an attack tried has ended: with a status, a code of HTTP/2 or the end of the connection,
// and how often.
class AttackLog {
 public:
  void Add(const std::string& ending) { ++endings_[ending]; }
  // A failure if the standards do not know it.
  void Add(const Heard& heard);
  // All of another's, under a name.
  void Add(const std::string& name, const AttackLog& other);

  const std::map<std::string, size_t>& endings() const { return endings_; }

 private:
  std::map<std::string, size_t> endings_;
};

inline constexpr size_t kKibPerMib = 1024;

struct Attack {
  std::string name;
  // Done again and again, for some seconds.
  std::function<void(AttackLog& log)> wave;
  // What the gateway may take in memory meanwhile, besides what it holds anyway.
  size_t memory_kib = 0;
  // gRPC may come to its last resort, which ends calls of anybody to free memory.
  bool costs_others_calls = false;
  // It sends as much as the machine can carry, which slows down whatever runs there. So in long
  // runs the caller may take as long, five times, as beside another gateway that is attacked in
  // turn.
  bool fills_machine = false;
  // Nothing is set against it: what it costs others in time is printed, and not judged.
  bool costs_others_time = false;
};

// A gateway with a well-behaved caller beside the attackers.
class AttackTest : public testing::Test {
 protected:
  void SetUp() override { Start(); }

  // The gateway's configuration, before it is started.
  virtual void Configure(e2e::Json&) const {}

  // Of the gateway to attack.
  const std::string& address() const {
    return (neighbour_ ? neighbour_ : gateway_)->addresses()[0];
  }
  const e2e::Sandbox& sandbox() const { return sandbox_; }
  const std::string& verification_id() const { return verification_id_; }

  // Demands that the caller has its calls answered, in long runs with a p99 under five times of
  // what it is without the attack; that the gateway's memory stays within bounds; and that
  // afterwards it is as it was. Prints the figures.
  void Endure(const Attack& attack);
  // Each of them against a gateway of its own, or in short runs of the tests all at once.
  void EndureAll(const std::vector<Attack>& attacks);

 private:
  struct Best;

  e2e::Json Config() const;
  void Start();
  void Attempt(const Attack& attack, AttackLog& log, Best& best);
  void Launch(const Attack& attack, AttackLog& log) const;
  // The p99 of the well-behaved caller.
  std::chrono::microseconds CallMeanwhile(const std::function<void()>& meanwhile,
                                          bool may_lose_calls);
  void Report(const Attack& attack, const AttackLog& log, const Best& best) const;
  void ExpectAsBefore(size_t descriptors) const;
  pid_t pid() const { return gateway_->process().pid(); }

  const e2e::Sandbox sandbox_;
  std::unique_ptr<e2e::Gateway> gateway_;
  std::unique_ptr<e2e::Gateway> neighbour_;  // while that is attacked instead
  std::shared_ptr<grpc::Channel> channel_;   // of the well-behaved caller
  std::string verification_id_;
};

}  // namespace idv::chaos
