#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "kora/idv/v1/verification_service.grpc.pb.h"
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

// Makes GetVerification calls over one channel without waiting for their answers. Thread-safe, the
// destructor apart.
class AsyncCaller {
 public:
  AsyncCaller(std::shared_ptr<grpc::Channel> channel, const std::string& verification_id);
  // Cancels what is under way.
  ~AsyncCaller();
  AsyncCaller(const AsyncCaller&) = delete;
  AsyncCaller& operator=(const AsyncCaller&) = delete;

  // Starts a call. `cancel_after`: then it is cancelled, if it has not ended.
  void Start(const e2e::CallOptions& options = {},
             std::optional<std::chrono::milliseconds> cancel_after = std::nullopt);

  // Returns when no more calls than these are under way.
  void AwaitAtMost(size_t under_way);

  // Of those that have ended.
  Endings endings() const;
  // Waits for the calls under way.
  Endings Finish();

 private:
  struct Call;
  // What comes back from the queue for a call.
  struct Tag {
    Call* call;
    bool is_cancel;  // the time to cancel has come; else the call has ended
  };

  void Collect();
  void Record(const Call& call);
  void Forget(Call* call);

  const std::unique_ptr<kora::idv::v1::VerificationService::Stub> stub_;
  kora::idv::v1::GetVerificationRequest request_;
  grpc::CompletionQueue queue_;

  mutable std::mutex mutex_;
  std::condition_variable ended_;                 // some call has
  std::map<Call*, std::unique_ptr<Call>> calls_;  // protected by mutex_
  Endings endings_;                               // protected by mutex_

  std::thread collector_;
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
