// Every unary RPC, from the caller's message to the upstream's bytes and back: each field of each
// answer, each header and the body of each request.

#include <gmock/gmock.h>
#include <google/protobuf/util/time_util.h>

#include <string>

#include "kora/idv/v1/biometric_service.grpc.pb.h"
#include "kora/idv/v1/document_service.grpc.pb.h"
#include "kora/idv/v1/fraud_alert_service.grpc.pb.h"
#include "kora/idv/v1/image_service.grpc.pb.h"
#include "kora/idv/v1/liveness_service.grpc.pb.h"
#include "kora/idv/v1/reference_service.grpc.pb.h"
#include "kora/idv/v1/verification_service.grpc.pb.h"
#include "tests/e2e/call.h"
#include "tests/e2e/gateway.h"
#include "tests/e2e/messages.h"
#include "tests/e2e/sandbox.h"
#include "tests/e2e/steps.h"

namespace idv::e2e {
namespace {

using google::protobuf::util::TimeUtil;
using kora::idv::v1::BiometricService;
using kora::idv::v1::DocumentService;
using kora::idv::v1::FraudAlertService;
using kora::idv::v1::ImageService;
using kora::idv::v1::LivenessService;
using kora::idv::v1::ReferenceService;
using kora::idv::v1::VerificationService;
using namespace kora::idv::v1;  // NOLINT(google-build-using-namespace): the requests and answers of
                                // all RPCs

// What has a session of the sandbox, before anything was submitted.
constexpr char kNewSession[] = R"pb(
  id: "?"
  verification_id: "?"
  challenges { type: LIVENESS_CHALLENGE_TYPE_BLINK type_raw: "blink" completed: false }
  challenges { type: LIVENESS_CHALLENGE_TYPE_TURN_LEFT type_raw: "turn_left" completed: false }
  challenges { type: LIVENESS_CHALLENGE_TYPE_TURN_RIGHT type_raw: "turn_right" completed: false }
  passed: false
  created_at {}
)pb";

constexpr char kCreateRequest[] = R"pb(
  external_id: "test-approve-\"1\" é"
  tier: VERIFICATION_TIER_ENHANCED
  callback_url: "https://example.test/hook?a=1&b=2"
  expected_first_name: "Ada"
  expected_last_name: "Obi"
  metadata {
    fields {
      key: "source"
      value {
        list_value {
          values { string_value: "web" }
          values { number_value: 1.5 }
          values { bool_value: true }
          values { null_value: NULL_VALUE }
          values {
            struct_value {
              fields {
                key: "deep"
                value { number_value: -3 }
              }
            }
          }
        }
      }
    }
  }
  document_type: "eu_id_de"
)pb";

// What the answer to it says, and every later one.
constexpr char kCreated[] = R"pb(
  id: "?"
  tier: VERIFICATION_TIER_ENHANCED
  tier_raw: "enhanced"
  external_id: "test-approve-\"1\" é"
  tenant_id: "550e8400-e29b-41d4-a716-446655440000"
  created_at {}
  updated_at {}
  expires_at {}
  metadata {
    fields {
      key: "source"
      value {
        list_value {
          values { string_value: "web" }
          values { number_value: 1.5 }
          values { bool_value: true }
          values { null_value: NULL_VALUE }
          values {
            struct_value {
              fields {
                key: "deep"
                value { number_value: -3 }
              }
            }
          }
        }
      }
    }
  }
  image_persisted: false
  attempt_count: 1
  max_attempts_per_day: 5
  callback_url: "https://example.test/hook?a=1&b=2"
  expected_first_name: "Ada"
  expected_last_name: "Obi"
)pb";

// What completion adds, with a German identity card, a selfie, one challenge of a session and two
// inline.
constexpr char kApproved[] = R"pb(
  status: VERIFICATION_STATUS_VERIFIED
  status_raw: "verified"
  completed_at {}
  submitted_at {}
  verified_at {}
  document_id: "?"
  liveness_session_id: "?"
  document_verification {
    document_type: "eu_id_de"
    document_number: "X12345678"
    first_name: "Ada"
    last_name: "Obi"
    date_of_birth: "1991-02-03"
    expiration_date: "2031-02-03"
    issuing_country: "DE"
    mrz_valid: true
    authenticity_score: 0.92
    extracted_fields { key: "nationality" value: "DE" }
    extracted_fields { key: "sex" value: "F" }
    extracted_fields { key: "placeOfBirth" value: "SAMPLETOWN" }
  }
  face_verification { match_score: 96.8 match_result: "match" confidence: 0.97 }
  liveness_verification {
    liveness_score: 95.5
    is_live: true
    challenge_results {
      type: LIVENESS_CHALLENGE_TYPE_BLINK
      type_raw: "blink"
      passed: true
      confidence: 0.97
    }
    challenge_results {
      type: LIVENESS_CHALLENGE_TYPE_TURN_LEFT
      type_raw: "turn_left"
      passed: false
      confidence: 0.31
    }
    challenge_results {
      type: LIVENESS_CHALLENGE_TYPE_SMILE
      type_raw: "smile"
      passed: true
      confidence: 0.97
    }
    challenge_results {
      type: LIVENESS_CHALLENGE_TYPE_TURN_RIGHT
      type_raw: "turn_right"
      passed: false
      confidence: 0.31
    }
  }
  scores {
    document_quality: 94.2
    document_auth: 95.1
    face_match: 96.8
    liveness: 95.5
    name_match: 100
    data_consistency: 97.4
    overall: 96.3
    compliance_score: 100
    name_match_result { has_expected_names: true }
    face_embedding_similarity: 0.93
    face_match_confidence: 0.97
    mrz_validity: 100
    anti_spoof_scores {
      texture_score: 0.91
      frequency_score: 0.89
      challenge_score: 0.95
      temporal_score: 0.88
      quality_score: 0.93
      spoof_detected: false
      spoof_confidence: 0.04
    }
    doc_auth_scores {
      template_score: 0.94
      font_score: 0.92
      photo_integrity: 0.96
      compression_score: 0.9
      edge_score: 0.93
      tamper_detected: false
      tamper_confidence: 0.03
    }
  }
  risk_signals {
    code: "LOW_RISK"
    severity: SEVERITY_LOW
    severity_raw: "low"
    message: "No risk was found."
  }
  risk_score: 4
  decision: VERIFICATION_DECISION_AUTO_APPROVE
  decision_raw: "auto_approve"
  decision_reason: "All checks passed."
  selected_country: "DE"
)pb";

class AllRpcsTest : public testing::Test {
 protected:
  // The answer of a call that must succeed, at the first attempt.
  template <typename Stub, typename Request, typename Response>
  Response Call(grpc::Status (Stub::*rpc)(grpc::ClientContext*, const Request&, Response*),
                const Request& request) {
    const Reply<Response> reply = client_.Call(rpc, request);
    EXPECT_TRUE(reply.ok()) << testing::PrintToString<Outcome>(reply);
    EXPECT_EQ(reply.Trailer("x-idv-attempts"), "1");
    EXPECT_TRUE(reply.Trailer("x-request-id").has_value());
    const bool reads = reply.Trailer("x-idv-cache") == "miss";
    EXPECT_EQ(reply.trailers.size(), reads ? 3U : 2U);
    return reply.response;
  }

  template <typename Response>
  static void ExpectAnswer(const Response& answer, Response expected) {
    TakeOverMadeUp(answer, expected);
    EXPECT_THAT(answer, EqualsProto(expected));
  }

  // Puts the verification's id into a path.
  static std::string At(const std::string& id, const std::string& rest = "") {
    return "/verifications/" + id + rest;
  }

  template <typename Request>
  static Request For(const std::string& verification_id, const std::string& text = "") {
    auto request = Parse<Request>(text);
    request.set_verification_id(verification_id);
    return request;
  }

  Verification CreateFull() {
    return Call(&VerificationService::Stub::CreateVerification,
                Parse<CreateVerificationRequest>(kCreateRequest));
  }

  DocumentResult UploadCard(const std::string& id) {
    return Call(&DocumentService::Stub::UploadDocument,
                For<UploadDocumentRequest>(id, R"pb(document_type: "eu_id_de"
                                                    image: "front"
                                                    country: "DE")pb"));
  }

  SelfieResult UploadFace(const std::string& id) {
    return Call(&BiometricService::Stub::UploadSelfie,
                For<UploadSelfieRequest>(id, R"pb(image: "face")pb"));
  }

  LivenessSession StartSession(const std::string& id) {
    return Call(&LivenessService::Stub::CreateLivenessSession,
                For<CreateLivenessSessionRequest>(id));
  }

  LivenessChallengeResult Blink(const std::string& id) {
    return Call(&LivenessService::Stub::SubmitLivenessChallenge,
                For<SubmitLivenessChallengeRequest>(id, R"pb(
                  challenge_type: LIVENESS_CHALLENGE_TYPE_BLINK
                  image: "eyes"
                  diagnostics: "k=v;"
                )pb"));
  }

  // A verification with everything in it; what is expected of it goes to `expected`.
  Verification CompleteFull(Verification& expected) {
    const std::string id = CreateFull().id();
    const DocumentResult document = UploadCard(id);
    UploadFace(id);
    const LivenessSession session = StartSession(id);
    Blink(id);
    expected = Parse<Verification>(kCreated);
    expected.MergeFrom(Parse<Verification>(kApproved));
    expected.set_id(id);
    expected.set_document_id(document.document_id());
    expected.set_liveness_session_id(session.id());
    return Call(&VerificationService::Stub::CompleteVerification,
                For<CompleteVerificationRequest>(id, R"pb(
                  liveness {
                    challenges {
                      type: LIVENESS_CHALLENGE_TYPE_SMILE
                      passed: true
                      image: "teeth"
                      frame_images: "a"
                      frame_images: "ab"
                      diagnostics: "k=v;"
                    }
                    challenges { type_raw: "turn_right" }
                  }
                )pb"));
  }

  Verification CompleteForReview() {
    const std::string id = Create(client_, "test-review-1").id();
    UploadFront(client_, id);
    return Complete(client_, id);
  }

  FraudAlert RaiseAlert() {
    RunThrough(client_, "test-fraud-1");
    const auto alerts = Call(&FraudAlertService::Stub::ListFraudAlerts, ListFraudAlertsRequest());
    EXPECT_EQ(alerts.alerts_size(), 1);
    return alerts.alerts_size() == 1 ? alerts.alerts(0) : FraudAlert();
  }

  const Sandbox sandbox_;
  Gateway gateway_{sandbox_};
  const Client client_{Connect(gateway_.addresses()[0])};
};

TEST_F(AllRpcsTest, CreateVerificationSendsEveryFieldAndReturnsThePendingVerification) {
  const Verification created = CreateFull();

  auto expected = Parse<Verification>(kCreated);
  expected.set_status(VERIFICATION_STATUS_PENDING);
  expected.set_status_raw("pending");
  ExpectAnswer(created, expected);
  EXPECT_EQ(created.updated_at(), created.created_at());
  EXPECT_EQ(TimeUtil::DurationToSeconds(created.expires_at() - created.created_at()), 24 * 3600);
  ExpectSent(
      sandbox_.AwaitRequest("/verifications"),
      {.method = "POST",
       .path = "/verifications",
       .body =
           R"({"externalId":"test-approve-\"1\" é","tier":"enhanced",)"
           R"("callbackUrl":"https://example.test/hook?a=1&b=2","expectedFirstName":"Ada",)"
           R"("expectedLastName":"Obi","metadata":{"source":["web",1.5,true,null,{"deep":-3}]},)"
           R"("documentType":"eu_id_de"})"});
}

TEST_F(AllRpcsTest, CreateVerificationSendsOnlyWhatIsSet) {
  const Verification created = Create(client_, "cust-1");

  ExpectAnswer(created, Parse<Verification>(R"pb(
                 id: "?"
                 status: VERIFICATION_STATUS_PENDING
                 status_raw: "pending"
                 tier: VERIFICATION_TIER_STANDARD
                 tier_raw: "standard"
                 external_id: "cust-1"
                 tenant_id: "550e8400-e29b-41d4-a716-446655440000"
                 created_at {}
                 updated_at {}
                 expires_at {}
                 image_persisted: false
                 attempt_count: 1
                 max_attempts_per_day: 5
               )pb"));
  ExpectSent(sandbox_.AwaitRequest("/verifications"),
             {.method = "POST", .path = "/verifications", .body = R"({"externalId":"cust-1"})"});
}

TEST_F(AllRpcsTest, CompleteVerificationSendsInlineChallengesAndReturnsTheDecision) {
  Verification expected;
  const Verification completed = CompleteFull(expected);

  ExpectAnswer(completed, expected);
  EXPECT_GE(completed.submitted_at(), completed.created_at());
  EXPECT_EQ(completed.completed_at(), completed.submitted_at());
  EXPECT_EQ(completed.verified_at(), completed.completed_at());
  EXPECT_EQ(completed.updated_at(), completed.completed_at());
  ExpectSent(
      sandbox_.AwaitRequest(At(completed.id(), "/complete")),
      {.method = "POST",
       .path = At(completed.id(), "/complete"),
       .body = R"({"liveness":{"challenges":[{"type":"smile","passed":true,)"
               R"("imageBase64":"dGVldGg=","frameImages":["YQ==","YWI="],"diagnostics":"k=v;"},)"
               R"({"type":"turn_right","passed":false}]}})"});
}

TEST_F(AllRpcsTest, GetVerificationReturnsWhatCompleteVerificationReturned) {
  Verification expected;
  const Verification completed = CompleteFull(expected);
  sandbox_.ForgetRequests();

  const Verification found = Call(&VerificationService::Stub::GetVerification,
                                  For<GetVerificationRequest>(completed.id()));

  ExpectAnswer(found, expected);
  EXPECT_THAT(found, EqualsProto(completed));
  ExpectSent(sandbox_.AwaitRequest(""), {.path = At(completed.id())});
}

TEST_F(AllRpcsTest, GetVerificationReturnsARejectionWithItsCodes) {
  const std::string id = Create(client_, "test-reject-1").id();
  UploadFront(client_, id);
  UploadFace(id);
  Complete(client_, id);

  const Verification found =
      Call(&VerificationService::Stub::GetVerification, For<GetVerificationRequest>(id));

  ExpectAnswer(found, Parse<Verification>(R"pb(
                 id: "?"
                 status: VERIFICATION_STATUS_REJECTED
                 status_raw: "rejected"
                 tier: VERIFICATION_TIER_STANDARD
                 tier_raw: "standard"
                 external_id: "test-reject-1"
                 tenant_id: "550e8400-e29b-41d4-a716-446655440000"
                 created_at {}
                 updated_at {}
                 completed_at {}
                 submitted_at {}
                 expires_at {}
                 document_id: "?"
                 document_verification {
                   document_type: "ghana_card"
                   document_number: "X12345678"
                   first_name: "ADA"
                   last_name: "OBI"
                   date_of_birth: "1991-02-03"
                   expiration_date: "2031-02-03"
                   issuing_country: "GH"
                   authenticity_score: 0.55
                   extracted_fields { key: "nationality" value: "GH" }
                   extracted_fields { key: "sex" value: "F" }
                   extracted_fields { key: "placeOfBirth" value: "SAMPLETOWN" }
                 }
                 face_verification { match_score: 31.4 match_result: "no_match" confidence: 0.91 }
                 scores {
                   document_quality: 61.5
                   document_auth: 55.2
                   face_match: 31.4
                   liveness: 63.7
                   name_match: 0
                   data_consistency: 52.6
                   overall: 38.6
                   compliance_score: 100
                   name_match_result { has_expected_names: false }
                   face_embedding_similarity: 0.28
                   face_match_confidence: 0.91
                   anti_spoof_scores {
                     texture_score: 0.62
                     frequency_score: 0.6
                     challenge_score: 0.71
                     temporal_score: 0.58
                     quality_score: 0.66
                     spoof_detected: false
                     spoof_confidence: 0.22
                   }
                   doc_auth_scores {
                     template_score: 0.57
                     font_score: 0.61
                     photo_integrity: 0.64
                     compression_score: 0.55
                     edge_score: 0.59
                     tamper_detected: false
                     tamper_confidence: 0.31
                   }
                 }
                 risk_signals {
                   code: "FACE_MISMATCH"
                   severity: SEVERITY_HIGH
                   severity_raw: "high"
                   message: "Selfie and document show different faces."
                 }
                 risk_score: 61
                 decision: VERIFICATION_DECISION_AUTO_REJECT
                 decision_raw: "auto_reject"
                 decision_reason: "The face does not match the document."
                 decision_codes: "FACE_MISMATCH"
                 decision_codes: "SCORE_LOW"
                 rejection_reason: "The face does not match the document."
                 image_persisted: false
                 attempt_count: 1
                 max_attempts_per_day: 5
               )pb"));
}

TEST_F(AllRpcsTest, ListSubjectVerificationsReturnsAllOfTheSubject) {
  Verification expected_first;
  const Verification first = CompleteFull(expected_first);
  ExpectAnswer(first, expected_first);
  const Verification second = CreateFull();
  Create(client_, "another");
  sandbox_.ForgetRequests();

  ListSubjectVerificationsRequest request;
  request.set_subject_id(first.external_id());
  const auto list = Call(&VerificationService::Stub::ListSubjectVerifications, request);

  EXPECT_EQ(second.attempt_count(), 2);
  ListSubjectVerificationsResponse expected;
  *expected.add_verifications() = second;
  *expected.add_verifications() = first;
  expected.set_total(2);
  EXPECT_THAT(list, EqualsProto(expected));
  ExpectSent(sandbox_.AwaitRequest(""),
             {.path = "/subjects/test-approve-%221%22%20%C3%A9/verifications"});
}

TEST_F(AllRpcsTest, ListSubjectVerificationsReturnsNoneForAStranger) {
  ListSubjectVerificationsRequest request;
  request.set_subject_id("nobody");
  const auto list = Call(&VerificationService::Stub::ListSubjectVerifications, request);

  EXPECT_THAT(list, EqualsProto(Parse<ListSubjectVerificationsResponse>("total: 0")));
}

TEST_F(AllRpcsTest, ReviewVerificationSendsTheReviewerAndReturnsTheDecision) {
  const Verification waiting = CompleteForReview();

  const Verification reviewed = Call(&VerificationService::Stub::ReviewVerification,
                                     For<ReviewVerificationRequest>(waiting.id(), R"pb(
                                       reviewer_id: "rev 1@example.test"
                                       decision: REVIEW_DECISION_APPROVE
                                       notes: "seen\nby hand"
                                       override_reason: "glare"
                                     )pb"));

  Verification expected = waiting;
  expected.set_status(VERIFICATION_STATUS_VERIFIED);
  expected.set_status_raw("verified");
  expected.set_decision(VERIFICATION_DECISION_APPROVE);
  expected.set_decision_raw("approve");
  expected.set_decision_reason("Approved by a reviewer.");
  expected.set_reviewed_by("rev 1@example.test");
  expected.set_review_notes("seen\nby hand");
  expected.mutable_completed_at();
  expected.mutable_verified_at();
  expected.mutable_updated_at()->Clear();
  ExpectAnswer(reviewed, expected);
  EXPECT_GE(reviewed.updated_at(), waiting.updated_at());
  EXPECT_EQ(reviewed.verified_at(), reviewed.updated_at());
  EXPECT_EQ(reviewed.completed_at(), reviewed.updated_at());
  ExpectSent(
      sandbox_.AwaitRequest(At(waiting.id(), "/review")),
      {.method = "POST",
       .path = At(waiting.id(), "/review"),
       .body = R"({"decision":"approve","notes":"seen\u000aby hand","overrideReason":"glare"})",
       .reviewer = "rev 1@example.test"});
}

TEST_F(AllRpcsTest, UploadDocumentSendsTheImageAndReturnsWhatWasRead) {
  const std::string id = CreateFull().id();

  const DocumentResult result = UploadCard(id);

  ExpectAnswer(result, Parse<DocumentResult>(R"pb(
                 document_id: "?"
                 document_type: "eu_id_de"
                 quality_score: 94.2
                 ocr_result {
                   full_text: "Obi Ada"
                   fields { key: "firstName" value: "Ada" }
                   fields { key: "lastName" value: "Obi" }
                   mrz_data { key: "documentNumber" value: "X12345678" }
                   mrz_data { key: "nationality" value: "DE" }
                   text_blocks: "Obi"
                   text_blocks: "Ada"
                   text_blocks: "X12345678"
                   language: "en"
                   confidence: 0.96
                   mrz_detected: true
                   face_count: 1
                 }
                 extracted_data {
                   fields {
                     key: "firstName"
                     value { string_value: "Ada" }
                   }
                   fields {
                     key: "lastName"
                     value { string_value: "Obi" }
                   }
                   fields {
                     key: "documentNumber"
                     value { string_value: "X12345678" }
                   }
                   fields {
                     key: "dateOfBirth"
                     value { string_value: "1991-02-03" }
                   }
                   fields {
                     key: "expirationDate"
                     value { string_value: "2031-02-03" }
                   }
                   fields {
                     key: "issuingCountry"
                     value { string_value: "DE" }
                   }
                   fields {
                     key: "age"
                     value { number_value: 35 }
                   }
                 }
                 image_persisted: false
               )pb"));
  ExpectSent(sandbox_.AwaitRequest(At(id, "/document")),
             {.method = "POST",
              .path = At(id, "/document"),
              .body = R"({"documentType":"eu_id_de","imageBase64":"ZnJvbnQ=","country":"DE"})"});
}

TEST_F(AllRpcsTest, UploadDocumentSendsALargeImageWhole) {
  const std::string id = CreateFull().id();
  auto request = For<UploadDocumentRequest>(id, R"pb(document_type: "eu_id_de")pb");
  std::string encoded;
  for (int i = 0; i < 1'000'000; ++i) {
    request.mutable_image()->append("Man");
    encoded += "TWFu";
  }

  Call(&DocumentService::Stub::UploadDocument, request);

  ExpectSent(sandbox_.AwaitRequest(At(id, "/document")),
             {.method = "POST",
              .path = At(id, "/document"),
              .body = R"({"documentType":"eu_id_de","imageBase64":")" + encoded + R"("})"});
}

TEST_F(AllRpcsTest, UploadDocumentBackSendsTheImageAndTheBarcode) {
  const std::string id = Create(client_, "test-review-1").id();
  UploadFront(client_, id);

  const DocumentResult result =
      Call(&DocumentService::Stub::UploadDocumentBack,
           For<UploadDocumentBackRequest>(id, R"pb(image: "back"
                                                   decoded_barcode_payload: "@ANSI \001\t/")pb"));

  ExpectAnswer(result, Parse<DocumentResult>(R"pb(
                 document_id: "?"
                 document_type: "ghana_card_back"
                 quality_score: 78.4
                 warnings: "low_contrast"
                 image_persisted: false
               )pb"));
  EXPECT_EQ(result.document_id(), Get(client_, id).document_id());
  ExpectSent(
      sandbox_.AwaitRequest(At(id, "/document/back")),
      {.method = "POST",
       .path = At(id, "/document/back"),
       .body = R"({"imageBase64":"YmFjaw==","decodedBarcodePayload":"@ANSI \u0001\u0009/"})"});
}

TEST_F(AllRpcsTest, UploadSelfieReturnsTheMatchAndTheRemarks) {
  const std::string id = Create(client_, "test-reject-1").id();
  UploadFront(client_, id);

  const SelfieResult result = UploadFace(id);

  ExpectAnswer(result, Parse<SelfieResult>(R"pb(
                 face_detected: true
                 face_count: 1
                 quality_score: 91.3
                 quality_issues { type: "blurry" }
                 face_match { matched: false score: 31.4 confidence: "high" }
                 warnings: "blurry"
                 image_persisted: false
               )pb"));
  ExpectSent(
      sandbox_.AwaitRequest(At(id, "/selfie")),
      {.method = "POST", .path = At(id, "/selfie"), .body = R"({"imageBase64":"ZmFjZQ=="})"});
}

TEST_F(AllRpcsTest, CreateLivenessSessionReturnsTheChallenges) {
  const std::string id = CreateFull().id();

  const LivenessSession session = StartSession(id);

  auto expected = Parse<LivenessSession>(kNewSession);
  expected.set_verification_id(id);
  ExpectAnswer(session, expected);
  ExpectSent(sandbox_.AwaitRequest(At(id, "/liveness/session")),
             {.method = "POST", .path = At(id, "/liveness/session"), .body = "{}"});
}

TEST_F(AllRpcsTest, SubmitLivenessChallengeReturnsTheProgress) {
  const std::string id = CreateFull().id();
  StartSession(id);

  const LivenessChallengeResult result = Blink(id);

  ExpectAnswer(result, Parse<LivenessChallengeResult>(R"pb(
                 type: LIVENESS_CHALLENGE_TYPE_BLINK
                 type_raw: "blink"
                 completed: true
                 score: 75.5
                 overall_score: 75.5
                 passed: false
                 remaining_challenges: 2
                 all_completed: false
                 image_persisted: false
               )pb"));
  ExpectSent(
      sandbox_.AwaitRequest(At(id, "/liveness/challenge")),
      {.method = "POST",
       .path = At(id, "/liveness/challenge"),
       .body = R"({"challengeType":"blink","imageBase64":"ZXllcw==","diagnostics":"k=v;"})"});
}

TEST_F(AllRpcsTest, GetLivenessReturnsTheSessionWithItsResults) {
  const std::string id = CreateFull().id();
  const std::string session_id = StartSession(id).id();
  Blink(id);

  const LivenessSession session =
      Call(&LivenessService::Stub::GetLiveness, For<GetLivenessRequest>(id));

  auto expected = Parse<LivenessSession>(kNewSession);
  expected.MergeFrom(Parse<LivenessSession>(R"pb(
    overall_score: 75.5
    anti_spoof_result {
      texture_score: 0.91
      frequency_score: 0.89
      challenge_score: 0.95
      temporal_score: 0.88
      quality_score: 0.93
      spoof_detected: false
      spoof_confidence: 0.04
    }
  )pb"));
  expected.set_id(session_id);
  expected.set_verification_id(id);
  expected.mutable_challenges(0)->set_completed(true);
  expected.mutable_challenges(0)->set_score(75.5);
  expected.mutable_challenges(0)->mutable_attempted_at();
  ExpectAnswer(session, expected);
  EXPECT_GE(session.challenges(0).attempted_at(), session.created_at());
  const Json requests = sandbox_.Requests(At(id, "/liveness"));
  ExpectSent(requests.back(), {.path = At(id, "/liveness")});
}

TEST_F(AllRpcsTest, ListImagesReturnsEveryTypeWithItsAvailability) {
  const std::string id = CreateFull().id();
  UploadCard(id);
  StartSession(id);
  Blink(id);

  const auto images = Call(&ImageService::Stub::ListImages, For<ListImagesRequest>(id));

  EXPECT_THAT(images, EqualsProto(Parse<ListImagesResponse>(R"pb(
                images { type: "document_front" available: true }
                images { type: "document_back" available: false }
                images { type: "selfie" available: false }
                images { type: "liveness_frame" available: false }
                images { type: "liveness_blink" available: true }
                images { type: "liveness_smile" available: false }
                images { type: "liveness_turn_left" available: false }
                images { type: "liveness_turn_right" available: false }
                images { type: "liveness_nod_up" available: false }
                images { type: "liveness_nod_down" available: false }
              )pb")));
  ExpectSent(sandbox_.AwaitRequest(At(id, "/images")), {.path = At(id, "/images")});
}

TEST_F(AllRpcsTest, GetImageUrlReturnsTheUrl) {
  const std::string id = CreateFull().id();
  UploadCard(id);

  const ImageUrl url = Call(&ImageService::Stub::GetImageUrl,
                            For<GetImageUrlRequest>(id, R"pb(image_type: "document_front")pb"));

  auto expected = Parse<ImageUrl>(R"pb(image_type: "document_front" expires_in: 900)pb");
  EXPECT_THAT(url.url(),
              testing::StartsWith(sandbox_.root_url() + "/storage/" + id + "/document_front.jpg?"));
  expected.set_url(url.url());
  EXPECT_THAT(url, EqualsProto(expected));
  ExpectSent(sandbox_.AwaitRequest(At(id, "/images/document_front")),
             {.path = At(id, "/images/document_front")});
}

TEST_F(AllRpcsTest, ListFraudAlertsReturnsThoseOfTheStatusAskedFor) {
  const Verification rejected = RunThrough(client_, "test-fraud-1");
  sandbox_.ForgetRequests();

  const auto open = Call(&FraudAlertService::Stub::ListFraudAlerts,
                         Parse<ListFraudAlertsRequest>("status: FRAUD_ALERT_STATUS_OPEN"));

  auto expected = Parse<ListFraudAlertsResponse>(R"pb(
    alerts {
      id: "?"
      tenant_id: "550e8400-e29b-41d4-a716-446655440000"
      external_id: "test-fraud-1"
      alert_type: "document_tampering"
      severity: SEVERITY_HIGH
      severity_raw: "high"
      description: "The photo of the document was replaced."
      status: FRAUD_ALERT_STATUS_OPEN
      status_raw: "open"
      created_at {}
    }
    total: 1
  )pb");
  expected.mutable_alerts(0)->set_verification_id(rejected.id());
  ExpectAnswer(open, expected);
  EXPECT_EQ(open.alerts(0).created_at(), rejected.completed_at());
  ExpectSent(sandbox_.AwaitRequest(""), {.path = "/alerts", .query = "status=open"});
}

TEST_F(AllRpcsTest, ListFraudAlertsPassesAnUnknownStatusOn) {
  RaiseAlert();
  sandbox_.ForgetRequests();

  const auto none = Call(&FraudAlertService::Stub::ListFraudAlerts,
                         Parse<ListFraudAlertsRequest>("status_raw: 'on hold&x'"));

  EXPECT_THAT(none, EqualsProto(Parse<ListFraudAlertsResponse>("total: 0")));
  ExpectSent(sandbox_.AwaitRequest(""), {.path = "/alerts", .query = "status=on%20hold%26x"});
}

TEST_F(AllRpcsTest, ResolveFraudAlertSendsTheVerdictAndReturnsTheAlert) {
  const FraudAlert alert = RaiseAlert();
  sandbox_.ForgetRequests();

  auto request = Parse<ResolveFraudAlertRequest>(R"pb(
    reviewer_id: "rev-1"
    status: FRAUD_ALERT_STATUS_CONFIRMED
    notes: "forged"
  )pb");
  request.set_alert_id(alert.id());
  const FraudAlert resolved = Call(&FraudAlertService::Stub::ResolveFraudAlert, request);

  FraudAlert expected = alert;
  expected.set_status(FRAUD_ALERT_STATUS_CONFIRMED);
  expected.set_status_raw("confirmed");
  expected.set_resolved_by("rev-1");
  expected.set_notes("forged");
  expected.mutable_resolved_at();
  ExpectAnswer(resolved, expected);
  EXPECT_GE(resolved.resolved_at(), alert.created_at());
  ExpectSent(sandbox_.AwaitRequest(""), {.method = "POST",
                                         .path = "/alerts/" + alert.id() + "/resolve",
                                         .body = R"({"status":"confirmed","notes":"forged"})",
                                         .reviewer = "rev-1"});
}

TEST_F(AllRpcsTest, ListDocumentTypesReturnsThoseOfTheCountry) {
  const auto types = Call(&ReferenceService::Stub::ListDocumentTypes,
                          Parse<ListDocumentTypesRequest>(R"pb(country: "GH")pb"));

  EXPECT_THAT(types, EqualsProto(Parse<ListDocumentTypesResponse>(R"pb(
                success: true
                total: 2
                document_types {
                  type: "ghana_card"
                  name: "Ghana Card"
                  country: "GH"
                  requires_back: true
                  has_mrz: false
                  supported_ocr: true
                }
                document_types {
                  type: "gh_drivers_license"
                  name: "Ghanaian Driver's License"
                  country: "GH"
                  requires_back: true
                  has_mrz: false
                  supported_ocr: true
                }
                countries { code: "GH" name: "Ghana" region: "Africa" }
              )pb")));
  ExpectSent(sandbox_.AwaitRequest(""), {.path = "/document-types", .query = "country=GH"});
}

TEST_F(AllRpcsTest, ListDocumentTypesReturnsThoseOfAllCountries) {
  const auto types = Call(&ReferenceService::Stub::ListDocumentTypes, ListDocumentTypesRequest());

  EXPECT_EQ(types.total(), types.document_types_size());
  EXPECT_GT(types.document_types_size(), 40);
  EXPECT_GT(types.countries_size(), 20);
  ExpectSent(sandbox_.AwaitRequest(""), {.path = "/document-types"});
}

TEST_F(AllRpcsTest, GetUpstreamHealthSendsNoKey) {
  const UpstreamHealth health =
      Call(&ReferenceService::Stub::GetUpstreamHealth, GetUpstreamHealthRequest());

  EXPECT_THAT(health, EqualsProto(Parse<UpstreamHealth>(R"pb(status: "healthy")pb")));
  ExpectSent(sandbox_.AwaitRequest(""), {.path = "/health", .authorized = false});
}

TEST(UpstreamHealthTest, GetUpstreamHealthAsksTheConfiguredAddress) {
  const Sandbox sandbox;
  Json config = BasicConfig(sandbox.base_url());
  config["upstream"]["health_url"] = sandbox.root_url() + "/health";
  Gateway gateway(config);
  const Client client(Connect(gateway.addresses()[0]));

  const auto health =
      client.Call(&ReferenceService::Stub::GetUpstreamHealth, GetUpstreamHealthRequest());

  EXPECT_EQ(health.response.status(), "healthy");
  EXPECT_EQ(sandbox.AwaitRequest("")["path"], "/health");
}

}  // namespace
}  // namespace idv::e2e
