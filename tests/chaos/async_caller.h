#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/chaos/async_calls.h"
#include "tests/e2e/call.h"

namespace idv::chaos {

// "OK", or a status with its reason: "UNAVAILABLE GATEWAY_DRAINING".
std::string EndingOf(const e2e::Outcome& outcome);

// How calls ended.
struct Endings {
  size_t total() const;
  // Of those that ended so.
  size_t count(const std::string& ending) const;
  // The time that `share` of the calls did not exceed: 0.99 for the p99. Zero without calls.
  std::chrono::microseconds Quantile(double share) const;

  std::map<std::string, size_t> by_ending;
  // Calls that succeeded, by the address that answered ("ipv4:127.0.0.1:PORT").
  std::map<std::string, size_t> served_by;
  std::vector<std::chrono::microseconds> times;
};

// Makes GetVerification calls over one channel without waiting for their answers, which must be
// about that verification. Thread-safe, the destructor apart, which cancels what is under way.
class AsyncCaller {
 public:
  AsyncCaller(std::shared_ptr<grpc::Channel> channel, const std::string& verification_id);

  // Starts a call. `cancel_after`: then it is cancelled, if it has not ended.
  void Start(const e2e::CallOptions& options = {},
             std::optional<std::chrono::milliseconds> cancel_after = std::nullopt);

  // Returns when no more calls than these are under way.
  void AwaitAtMost(size_t under_way) { calls_.AwaitAtMost(under_way); }

  // Of those that have ended.
  Endings endings() const;
  // Waits for the calls under way.
  Endings Finish();

 private:
  void Record(const Ending& ending);

  const std::shared_ptr<grpc::Channel> channel_;
  const std::string verification_id_;

  mutable std::mutex mutex_;
  Endings endings_;  // protected by mutex_

  AsyncCalls calls_;
};

// Starts calls at an even rate, whatever becomes of them, until it is destroyed.
class Pacer {
 public:
  // Borrows the caller.
  Pacer(AsyncCaller& caller, int per_second, e2e::CallOptions options = {});
  ~Pacer();
  Pacer(const Pacer&) = delete;
  Pacer& operator=(const Pacer&) = delete;

 private:
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace idv::chaos
