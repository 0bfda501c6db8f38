// Every fault of the sandbox, met by a GET, a small POST and an upload: what the caller is told, by
// when, and what was sent for it.

#include <gmock/gmock.h>

#include <chrono>
#include <cstdio>
#include <string>

#include "kora/idv/v1/biometric_service.grpc.pb.h"
#include "kora/idv/v1/verification_service.grpc.pb.h"
#include "tests/e2e/attempt.h"
#include "tests/e2e/call.h"
#include "tests/e2e/fault_rows.h"
#include "tests/e2e/gateway.h"
#include "tests/e2e/sandbox.h"
#include "tests/e2e/steps.h"

namespace idv::e2e {
namespace {

using kora::idv::v1::BiometricService;
using kora::idv::v1::VerificationService;
using std::chrono::milliseconds;

constexpr milliseconds kTimeout{500};
constexpr size_t kImageBytes = 1 << 20;

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
  bool Try(const FaultRow& row, const char* name, Outcome (FaultMatrixTest::*call)(),
           const Told& told, size_t sent = 1) {
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
  for (const FaultRow& row : FaultRows()) {
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
