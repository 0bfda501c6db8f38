// The outcomes that the sandbox decides by the prefix of the external id, seen by a caller.

#include <gmock/gmock.h>

#include <string>

#include "kora/idv/v1/document_service.grpc.pb.h"
#include "kora/idv/v1/fraud_alert_service.grpc.pb.h"
#include "kora/idv/v1/verification_service.grpc.pb.h"
#include "tests/e2e/call.h"
#include "tests/e2e/gateway.h"
#include "tests/e2e/messages.h"
#include "tests/e2e/sandbox.h"
#include "tests/e2e/steps.h"

namespace idv::e2e {
namespace {

using kora::idv::v1::DocumentService;
using kora::idv::v1::FraudAlertService;
using kora::idv::v1::VerificationService;
using namespace kora::idv::v1;  // NOLINT(google-build-using-namespace): many messages and enum
                                // values

class FixturesTest : public testing::Test {
 protected:
  // The only alert of that status, or of any.
  FraudAlert OnlyAlert(FraudAlertStatus status) {
    ListFraudAlertsRequest request;
    request.set_status(status);
    const auto reply = client_.Call(&FraudAlertService::Stub::ListFraudAlerts, request);
    EXPECT_EQ(reply.response.alerts_size(), 1) << testing::PrintToString<Outcome>(reply);
    return reply.response.alerts_size() == 1 ? reply.response.alerts(0) : FraudAlert();
  }

  Reply<FraudAlert> Resolve(const std::string& alert_id) {
    auto request = Parse<ResolveFraudAlertRequest>(R"pb(reviewer_id: "rev-1"
                                                        status: FRAUD_ALERT_STATUS_DISMISSED)pb");
    request.set_alert_id(alert_id);
    return client_.Call(&FraudAlertService::Stub::ResolveFraudAlert, request);
  }

  Reply<Verification> Review(const std::string& id, ReviewDecision decision) {
    ReviewVerificationRequest request;
    request.set_verification_id(id);
    request.set_reviewer_id("rev-1");
    request.set_decision(decision);
    return client_.Call(&VerificationService::Stub::ReviewVerification, request);
  }

  const Sandbox sandbox_;
  Gateway gateway_{sandbox_};
  const Client client_{Connect(gateway_.addresses()[0])};
};

TEST_F(FixturesTest, ApproveIsVerifiedAtOnce) {
  const Verification completed = RunThrough(client_, "test-approve-1");

  EXPECT_EQ(completed.status(), VERIFICATION_STATUS_VERIFIED);
  EXPECT_EQ(completed.decision(), VERIFICATION_DECISION_AUTO_APPROVE);
  EXPECT_EQ(completed.scores().overall(), 96.3);
  EXPECT_EQ(completed.decision_codes_size(), 0);
}

TEST_F(FixturesTest, AnyOtherSubjectIsVerifiedToo) {
  EXPECT_EQ(RunThrough(client_, "cust-7").status(), VERIFICATION_STATUS_VERIFIED);
}

TEST_F(FixturesTest, RejectIsRejectedWithItsCodes) {
  const Verification completed = RunThrough(client_, "test-reject-1");

  EXPECT_EQ(completed.status(), VERIFICATION_STATUS_REJECTED);
  EXPECT_EQ(completed.decision(), VERIFICATION_DECISION_AUTO_REJECT);
  EXPECT_THAT(completed.decision_codes(), testing::ElementsAre("FACE_MISMATCH", "SCORE_LOW"));
}

TEST_F(FixturesTest, FraudIsRejectedAndLeavesAnAlertThatIsResolvedOnce) {
  const Verification completed = RunThrough(client_, "test-fraud-1");
  const FraudAlert alert = OnlyAlert(FRAUD_ALERT_STATUS_OPEN);

  const Reply<FraudAlert> resolved = Resolve(alert.id());
  const Reply<FraudAlert> again = Resolve(alert.id());

  EXPECT_EQ(completed.status(), VERIFICATION_STATUS_REJECTED);
  EXPECT_TRUE(completed.scores().doc_auth_scores().tamper_detected());
  EXPECT_EQ(completed.scores().doc_auth_scores().tamper_type(), "photo_replacement");
  EXPECT_EQ(alert.verification_id(), completed.id());
  EXPECT_EQ(resolved.response.status(), FRAUD_ALERT_STATUS_DISMISSED)
      << testing::PrintToString<Outcome>(resolved);
  EXPECT_EQ(again.status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(again.reason(), "INVALID_STATE");
  EXPECT_THAT(OnlyAlert(FRAUD_ALERT_STATUS_DISMISSED), EqualsProto(resolved.response));
  EXPECT_THAT(OnlyAlert(FRAUD_ALERT_STATUS_UNSPECIFIED), EqualsProto(resolved.response));
}

TEST_F(FixturesTest, ReviewWaitsForAPersonWhoApproves) {
  const Verification completed = RunThrough(client_, "test-review-1");

  const auto reviewed = Review(completed.id(), REVIEW_DECISION_APPROVE);

  EXPECT_EQ(completed.status(), VERIFICATION_STATUS_MANUAL_REVIEW);
  EXPECT_EQ(completed.decision(), VERIFICATION_DECISION_MANUAL_REVIEW);
  EXPECT_FALSE(completed.has_completed_at());
  EXPECT_EQ(reviewed.response.status(), VERIFICATION_STATUS_VERIFIED);
  EXPECT_EQ(reviewed.response.decision(), VERIFICATION_DECISION_APPROVE);
  EXPECT_EQ(reviewed.response.reviewed_by(), "rev-1");
  EXPECT_THAT(Get(client_, completed.id()), EqualsProto(reviewed.response));
}

TEST_F(FixturesTest, ReviewWaitsForAPersonWhoRejects) {
  const Verification completed = RunThrough(client_, "test-review-1");

  const auto reviewed = Review(completed.id(), REVIEW_DECISION_REJECT);
  const auto again = Review(completed.id(), REVIEW_DECISION_APPROVE);

  EXPECT_EQ(reviewed.response.status(), VERIFICATION_STATUS_REJECTED);
  EXPECT_EQ(reviewed.response.decision(), VERIFICATION_DECISION_REJECT);
  EXPECT_THAT(reviewed.response.decision_codes(), testing::ElementsAre("REJECTED"));
  EXPECT_EQ(again.status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
}

TEST_F(FixturesTest, ExpiredIsApprovedFirstAndTakesNothingMoreOnceItHasExpired) {
  const Verification completed = RunThrough(client_, "test-expired-1");

  EXPECT_EQ(completed.status(), VERIFICATION_STATUS_VERIFIED);
  EXPECT_TRUE(WaitUntil(
      [&] { return Get(client_, completed.id()).status() == VERIFICATION_STATUS_EXPIRED; }));

  auto request = Parse<UploadDocumentRequest>(R"pb(document_type: "ghana_card" image: "x")pb");
  request.set_verification_id(completed.id());
  const auto late = client_.Call(&DocumentService::Stub::UploadDocument, request);
  EXPECT_EQ(late.status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(late.reason(), "SESSION_EXPIRED");
}

TEST_F(FixturesTest, SlowIsProcessingForTenSecondsAndThenVerified) {
  const Verification completed = RunThrough(client_, "test-slow-1");

  EXPECT_EQ(completed.status(), VERIFICATION_STATUS_PROCESSING);
  EXPECT_FALSE(completed.has_scores());
  Verification later;
  EXPECT_TRUE(WaitUntil(
      [&] {
        later = Get(client_, completed.id());
        return later.status() != VERIFICATION_STATUS_PROCESSING;
      },
      std::chrono::seconds(15)));
  EXPECT_EQ(later.status(), VERIFICATION_STATUS_VERIFIED);
  EXPECT_EQ(later.decision(), VERIFICATION_DECISION_AUTO_APPROVE);
  EXPECT_EQ(later.completed_at().seconds(), later.submitted_at().seconds() + 10);
}

}  // namespace
}  // namespace idv::e2e
