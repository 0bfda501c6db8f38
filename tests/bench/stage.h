#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/e2e/process.h"

namespace idv::bench {

// Something does not work, so that no figure would mean anything.
struct Broken : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A program that prints "listening on [grpc] ADDRESS". Throws Broken when it does not.
class Listener {
 public:
  Listener(const std::string& program, const std::vector<std::string>& arguments,
           const std::map<std::string, std::string>& environment = {});

  pid_t pid() const { return process_.pid(); }
  const std::string& address() const { return address_; }

 private:
  e2e::Process process_;
  std::string address_;
};

// A gateway in front of an upstream, ready for calls, with a connection to it that stays.
class ServingGateway {
 public:
  // `limits`: of its configuration.
  ServingGateway(const std::string& program, const std::string& upstream,
                 const nlohmann::json& limits = nlohmann::json::object());

  pid_t pid() const { return listener_.pid(); }
  const std::string& address() const { return listener_.address(); }
  // From its start until it answered a health check.
  std::chrono::nanoseconds ready_after() const { return ready_after_; }

 private:
  e2e::TempDir directory_;
  std::chrono::steady_clock::time_point start_;
  Listener listener_;
  std::shared_ptr<grpc::Channel> channel_;
  std::chrono::nanoseconds ready_after_{};
};

// Memory that a process has in use now.
double ResidentMb(pid_t pid);

// The number that an upstream answers at that path.
uint64_t Ask(const Listener& upstream, const std::string& path);

// How many requests an upstream has served.
inline uint64_t ServedBy(const Listener& upstream) { return Ask(upstream, "/count"); }

// Runs a client to its end and returns what it reports. Throws Broken when a call of it failed.
nlohmann::json RunClient(const std::string& program, const std::vector<std::string>& arguments);

}  // namespace idv::bench
