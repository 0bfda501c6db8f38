#include "tests/e2e/steps.h"

#include <gmock/gmock.h>

#include <map>

#include "kora/idv/v1/document_service.grpc.pb.h"

namespace idv::e2e {

using kora::idv::v1::DocumentService;
using kora::idv::v1::Verification;
using kora::idv::v1::VerificationService;

Verification Create(const Client& client, const std::string& external_id) {
  kora::idv::v1::CreateVerificationRequest request;
  request.set_external_id(external_id);
  const auto reply = client.Call(&VerificationService::Stub::CreateVerification, request);
  EXPECT_TRUE(reply.ok()) << testing::PrintToString<Outcome>(reply);
  return reply.response;
}

void UploadFront(const Client& client, const std::string& verification_id) {
  kora::idv::v1::UploadDocumentRequest request;
  request.set_verification_id(verification_id);
  request.set_document_type("ghana_card");
  request.set_image("front");
  const auto reply = client.Call(&DocumentService::Stub::UploadDocument, request);
  EXPECT_TRUE(reply.ok()) << testing::PrintToString<Outcome>(reply);
}

Verification Complete(const Client& client, const std::string& verification_id) {
  kora::idv::v1::CompleteVerificationRequest request;
  request.set_verification_id(verification_id);
  const auto reply = client.Call(&VerificationService::Stub::CompleteVerification, request);
  EXPECT_TRUE(reply.ok()) << testing::PrintToString<Outcome>(reply);
  return reply.response;
}

Verification Get(const Client& client, const std::string& verification_id) {
  kora::idv::v1::GetVerificationRequest request;
  request.set_verification_id(verification_id);
  const auto reply = client.Call(&VerificationService::Stub::GetVerification, request);
  EXPECT_TRUE(reply.ok()) << testing::PrintToString<Outcome>(reply);
  return reply.response;
}

Verification RunThrough(const Client& client, const std::string& external_id) {
  const std::string id = Create(client, external_id).id();
  UploadFront(client, id);
  return Complete(client, id);
}

PendingGet::PendingGet(const Client& client, const std::string& verification_id,
                       const CallOptions& options) {
  Prepare(options, context_);
  kora::idv::v1::GetVerificationRequest request;
  request.set_verification_id(verification_id);
  ending_ = std::async(std::launch::async, [this, channel = client.channel(), request] {
    Verification response;
    return VerificationService::Stub(channel).GetVerification(&context_, request, &response);
  });
}

PendingGet::~PendingGet() {
  if (!ending_.valid()) return;
  Cancel();
  ending_.wait();
}

Outcome PendingGet::Finish() { return Outcome::Of(ending_.get(), context_); }

void ExpectSent(const Json& logged, const Sent& expected) {
  EXPECT_EQ(logged["method"], expected.method);
  EXPECT_EQ(logged["path"], "/api/v1/idv" + expected.path);
  EXPECT_EQ(logged["query"], expected.query);
  EXPECT_EQ(logged["body_bytes"], expected.body.size()) << expected.body.substr(0, 1000);
  EXPECT_EQ(logged["body_sha256"], Sha256(expected.body)) << expected.body.substr(0, 1000);
  EXPECT_EQ(logged["body_complete"], true);

  std::map<std::string, std::string> headers = {{"accept", "application/json"},
                                                {"user-agent", "idv-gateway"}};
  if (expected.method == "POST") {
    headers["content-type"] = "application/json";
    headers["content-length"] = std::to_string(expected.body.size());
  }
  if (!expected.reviewer.empty()) headers["x-reviewer-id"] = expected.reviewer;
  if (expected.authorized) {
    headers["authorization"] = std::string("Bearer ") + kApiKey;
    headers["x-tenant-id"] = kTenantId;
  }
  auto received = logged["headers"].get<std::map<std::string, std::string>>();
  EXPECT_EQ(received.erase("host"), 1U);
  EXPECT_EQ(received, headers);
}

}  // namespace idv::e2e
