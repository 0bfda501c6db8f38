// Every fault of the sandbox, met by a GET, a small POST and an upload: what the caller is told, by
// when, and what was sent for it.

#include <gmock/gmock.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "kora/idv/v1/biometric_service.grpc.pb.h"
#include "kora/idv/v1/verification_service.grpc.pb.h"
#include "tests/e2e/attempt.h"
#include "tests/e2e/call.h"
#include "tests/e2e/gateway.h"
#include "tests/e2e/sandbox.h"
#include "tests/e2e/steps.h"

namespace idv::e2e {
namespace {

using grpc::StatusCode;
using kora::idv::v1::BiometricService;
using kora::idv::v1::VerificationService;
using std::chrono::milliseconds;

constexpr milliseconds kTimeout{500};
constexpr size_t kImageBytes = 1 << 20;

const Told kError{StatusCode::INTERNAL, "UPSTREAM_ERROR", "vendor"};
const Told kPayloadTooLarge{StatusCode::INVALID_ARGUMENT, "UPSTREAM_PAYLOAD_TOO_LARGE", "caller"};

enum class Upload { kWhole, kCut };

struct Row {
  Json fault;
  Told get;
  Told post;
  Told upload;
  // Whether the upstream got all of the image.
  Upload image = Upload::kWhole;
  // As long as nothing of an answer has come, libcurl takes a kept connection that ends for one
  // that was dead before, and repeats what has no body on a new one.
  size_t gets_sent = 1;
};

Row ForAll(const Json& fault, const Told& told, Upload image = Upload::kWhole) {
  return {fault, told, told, told, image};
}

Json Status(int status, bool early = false) {
  Json fault = {{"kind", "status"}, {"status", status}, {"body", "{\"error\":\"as told\"}"}};
  if (early) fault["early"] = true;
  return fault;
}

std::vector<Row> Rows() {
  std::vector<Row> rows = {
      ForAll({{"kind", "latency"}, {"milliseconds", 50}}, kFine),
      ForAll({{"kind", "hang"}}, kTimedOut),
      ForAll(Status(302), {StatusCode::INTERNAL, "UPSTREAM_UNEXPECTED_STATUS", "us"}),
      ForAll(Status(400), {StatusCode::INVALID_ARGUMENT, "UPSTREAM_INVALID_REQUEST", "caller"}),
      ForAll(Status(403), {StatusCode::PERMISSION_DENIED, "UPSTREAM_FORBIDDEN", "us"}),
      ForAll(Status(404), {StatusCode::NOT_FOUND, "UPSTREAM_NOT_FOUND", "caller"}),
      ForAll(Status(409), {StatusCode::FAILED_PRECONDITION, "UPSTREAM_CONFLICT", "caller"}),
      ForAll(Status(413), kPayloadTooLarge),
      ForAll(Status(429), {StatusCode::RESOURCE_EXHAUSTED, "UPSTREAM_RATE_LIMITED", "caller"}),
      ForAll(Status(500), kError),
      ForAll(Status(503), kUnavailable),
      ForAll(Status(504), kTimedOut),
      ForAll(Status(413, /*early=*/true), kPayloadTooLarge, Upload::kCut),
      ForAll(Status(500, /*early=*/true), kError, Upload::kCut),
      ForAll({{"kind", "unauthorized"}, {"until_key", "another"}},
             {StatusCode::UNAVAILABLE, "UPSTREAM_CREDENTIAL_REJECTED", "us"}),
      ForAll({{"kind", "length_required"}}, kFine),
      ForAll({{"kind", "half_json"}}, kBadResponse),
      ForAll({{"kind", "html"}}, kBadResponse),
      ForAll({{"kind", "wrong_types"}}, kBadResponse),
      ForAll({{"kind", "unknown_keys"}}, kFine),
      ForAll({{"kind", "unknown_enums"}}, kFine),
      ForAll({{"kind", "large_header"}, {"bytes", 1'000'000}}, kTooLarge),
      ForAll({{"kind", "gzip_bomb"}, {"bytes", 1 << 30}}, kBadResponse),
      ForAll({{"kind", "endless"}}, kTooLarge),
      ForAll({{"kind", "endless"}, {"bytes_per_second", 1000}}, kTimedOut),
      ForAll({{"kind", "slow_writing"}, {"bytes_per_second", 100}}, kTimedOut),
      {{{"kind", "slow_reading"}, {"bytes_per_second", 100'000}},
       kFine,
       kFine,
       kTimedOut,
       Upload::kCut},
  };
  for (const char* const kind : {"reset", "close"}) {
    const auto add = [&](const char* at, const Told& told, Upload image, size_t gets_sent) {
      rows.push_back({{{"kind", kind}, {"at", at}}, told, told, told, image, gets_sent});
    };
    add("request_header", kLost, Upload::kCut, 2);
    add("request_body", kLost, Upload::kCut, 2);
    add("before_answer", kLost, Upload::kWhole, 2);
    add("during_answer", kLost, Upload::kWhole, 1);
    add("after_answer", kFine, Upload::kWhole, 1);
  }
  return rows;
}

class FaultMatrixTest : public testing::Test {
 public:
  Outcome Get() {
    kora::idv::v1::GetVerificationRequest request;
    request.set_verification_id(id_);
    return client_.Call(&VerificationService::Stub::GetVerification, request, kOptions);
  }
  Outcome Post() {
    kora::idv::v1::CreateVerificationRequest request;
    request.set_external_id("test-approve-1");
    return client_.Call(&VerificationService::Stub::CreateVerification, request, kOptions);
  }
  Outcome UploadSelfie() {
    kora::idv::v1::UploadSelfieRequest request;
    request.set_verification_id(id_);
    request.set_image(std::string(kImageBytes, 'x'));
    return client_.Call(&BiometricService::Stub::UploadSelfie, request, kOptions);
  }

  // One cell of the matrix, printed and checked. Whether all of the request's body arrived.
  bool Try(const Row& row, const char* name, Outcome (FaultMatrixTest::*call)(), const Told& told,
           size_t sent = 1) {
    const Attempt attempt = InTime([&] {
      sandbox_.ForgetRequests();
      return Timed(kTimeout, [&] { return (this->*call)(); });
    });
    const Json requests = sandbox_.Requests();
    const bool arrived_whole = requests.size() == 1 && requests[0]["body_complete"] == true;
    std::printf("%-66s %-7s %-38s %4d ms, %zu sent, %s\n", row.fault.dump().c_str(), name,
                Describe(attempt).c_str(), static_cast<int>(attempt.took.count()), requests.size(),
                arrived_whole ? "whole" : "cut");

    SCOPED_TRACE(row.fault.dump() + " " + name);
    ExpectTold(attempt, told);
    EXPECT_EQ(requests.size(), sent) << requests;
    return arrived_whole;
  }

  const CallOptions kOptions{.timeout = kTimeout};
  const Sandbox sandbox_{{"--attempts-per-day", "0"}};
  Gateway gateway_{OneRequestPerCall(BasicConfig(sandbox_.base_url()))};
  const Client client_{Connect(gateway_.addresses()[0])};
  std::string id_ = MakeVerification();

 private:
  std::string MakeVerification() const {
    const std::string id = Create(client_, "test-approve-0").id();
    UploadFront(client_, id);
    return id;
  }
};

TEST_F(FaultMatrixTest, TellsTheTruthAboutEveryFault) {
  for (const Row& row : Rows()) {
    sandbox_.AddFault(row.fault);
    Try(row, "GET", &FaultMatrixTest::Get, row.get, row.gets_sent);
    Try(row, "POST", &FaultMatrixTest::Post, row.post);
    const bool is_whole = Try(row, "upload", &FaultMatrixTest::UploadSelfie, row.upload);
    EXPECT_EQ(is_whole, row.image == Upload::kWhole) << row.fault;
    sandbox_.ClearFaults();

    EXPECT_TRUE(Get().ok()) << "afterwards, without " << row.fault;
  }
}

}  // namespace
}  // namespace idv::e2e
