#pragma once

#include <chrono>
#include <future>
#include <string>

#include "kora/idv/v1/verification_service.grpc.pb.h"
#include "tests/e2e/call.h"
#include "tests/e2e/sandbox.h"

namespace idv::e2e {

// The steps of a verification, each of which must succeed.

kora::idv::v1::Verification Create(const Client& client, const std::string& external_id);
void UploadFront(const Client& client, const std::string& verification_id);
kora::idv::v1::Verification Complete(const Client& client, const std::string& verification_id);
kora::idv::v1::Verification Get(const Client& client, const std::string& verification_id);

// Creates a verification, uploads a document and completes it.
kora::idv::v1::Verification RunThrough(const Client& client, const std::string& external_id);

// A GetVerification under way.
class PendingGet {
 public:
  PendingGet(const Client& client, const std::string& verification_id,
             const CallOptions& options = {});
  // Cancels it if it is still under way.
  ~PendingGet();
  PendingGet(const PendingGet&) = delete;
  PendingGet& operator=(const PendingGet&) = delete;

  void Cancel() { context_.TryCancel(); }
  std::chrono::system_clock::time_point deadline() const { return context_.deadline(); }
  // How it ended.
  Outcome Finish();

 private:
  grpc::ClientContext context_;
  std::future<grpc::Status>
      ending_;  // of a thread: without one that polls, not even the connection comes about
};

// A request as the upstream must have received it from the gateway.
struct Sent {
  std::string method = "GET";
  // Below the API's base.
  std::string path;
  std::string query = {};
  // Of a POST: the JSON text, byte by byte.
  std::string body = {};
  // In X-Reviewer-ID.
  std::string reviewer = {};
  // With the tenant and its key.
  bool authorized = true;
};

// Compares an entry of the sandbox's log with what is expected, all headers included.
void ExpectSent(const Json& logged, const Sent& expected);

}  // namespace idv::e2e
