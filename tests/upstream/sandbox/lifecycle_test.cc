// Whole verifications through the API, as a caller sees them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/upstream/sandbox/caller.h"

namespace idv::sandbox {
namespace {

using namespace std::chrono_literals;

std::string Complete(Caller& caller, const std::string& external_id) {
  std::string id = caller.CreateWithDocument(external_id);
  caller.Post("/verifications/" + id + "/complete");
  return id;
}

TEST(LifecycleTest, StartsPendingWithWhatTheCallerSaid) {
  Caller caller;

  const Reply reply = caller.Post(
      "/verifications",
      R"({"externalId":"test-approve-1","tier":"enhanced","callbackUrl":"https://example.test/h",
          "expectedFirstName":"Ada","expectedLastName":"Lace","metadata":{"b":1,"a":[]},
          "documentType":"ghana_card"})");

  EXPECT_EQ(reply.status, 201);
  EXPECT_EQ(reply.json, Json::parse(R"({
    "id":"id-1","externalId":"test-approve-1","tenantId":"550e8400-e29b-41d4-a716-446655440000",
    "tier":"enhanced","status":"pending","callbackUrl":"https://example.test/h",
    "expectedFirstName":"Ada","expectedLastName":"Lace","metadata":{"b":1,"a":[]},
    "imagePersisted":false,"attemptCount":1,"maxAttemptsPerDay":5,
    "createdAt":"2026-01-02T03:04:05.000000Z","updatedAt":"2026-01-02T03:04:05.000000Z",
    "expiresAt":"2026-01-03T03:04:05.000000Z"})"));
}

TEST(LifecycleTest, AnswersTheUploadsOfAnApproval) {
  Caller caller;
  const std::string at = "/verifications/" + caller.Create("test-approve-1");

  EXPECT_EQ(caller.Post(at + "/selfie", R"({"imageBase64":"AA=="})").json["code"],
            "DOCUMENT_REQUIRED");
  EXPECT_EQ(caller.last.status, 400);
  EXPECT_EQ(caller
                .Post(at + "/document",
                      R"({"documentType":"uk_brp","imageBase64":"AA==","country":"GB"})")
                .json,
            Json::parse(R"({"documentId":"id-2","documentType":"uk_brp","qualityScore":94.2,
      "ocrResult":{"fullText":"OBI ADA","textBlocks":["OBI","ADA","X12345678"],"language":"en",
        "confidence":0.96,"mrzDetected":true,"faceCount":1,
        "fields":{"firstName":"ADA","lastName":"OBI"},
        "mrzData":{"documentNumber":"X12345678","nationality":"GB"}},
      "extractedData":{"firstName":"ADA","lastName":"OBI","documentNumber":"X12345678",
        "dateOfBirth":"1991-02-03","expirationDate":"2031-02-03","issuingCountry":"GB","age":35},
      "warnings":[],"imagePersisted":false})"));
  EXPECT_EQ(caller
                .Post(at + "/document/back",
                      R"({"imageBase64":"AA==","decodedBarcodePayload":"@\u001e"})")
                .json,
            Json::parse(R"({"documentId":"id-2","documentType":"uk_brp_back","qualityScore":94.2,
      "warnings":[],"imagePersisted":false})"));
  EXPECT_EQ(caller.Post(at + "/selfie", R"({"imageBase64":"AA=="})").json,
            Json::parse(R"({"faceDetected":true,"faceCount":1,"qualityScore":91.3,
      "qualityIssues":[],"faceMatch":{"matched":true,"score":96.8,"confidence":"high"},
      "warnings":[],"imagePersisted":false})"));
}

TEST(LifecycleTest, AnswersALivenessSession) {
  Caller caller;
  const std::string at = "/verifications/" + caller.Create("test-approve-1");

  EXPECT_EQ(caller.Get(at + "/liveness").json["code"], "LIVENESS_SESSION_NOT_FOUND");
  EXPECT_EQ(caller.last.status, 404);
  EXPECT_EQ(
      caller.Post(at + "/liveness/challenge", R"({"challengeType":"blink","imageBase64":"AA=="})")
          .json["code"],
      "INVALID_STATE");
  EXPECT_EQ(caller.last.status, 409);
  EXPECT_EQ(caller.Post(at + "/liveness/session").json,
            Json::parse(R"({"id":"id-2","verificationId":"id-1","challenges":[
      {"type":"blink","completed":false},{"type":"turn_left","completed":false},
      {"type":"turn_right","completed":false}],"passed":false,
      "createdAt":"2026-01-02T03:04:05.000000Z"})"));
  EXPECT_EQ(
      caller.Post(at + "/liveness/challenge", R"({"challengeType":"blink","imageBase64":"AA=="})")
          .json,
      Json::parse(R"({"type":"blink","challengeType":"blink","completed":true,"score":75.5,
      "overallScore":75.5,"passed":false,"remainingChallenges":2,"allCompleted":false,
      "imagePersisted":false})"));
  caller.Post(at + "/liveness/challenge", R"({"challengeType":"turn_left","imageBase64":"AA=="})");
  const Json anti_spoof = Json::parse(R"({"textureScore":0.91,"frequencyScore":0.89,
      "challengeScore":0.95,"temporalScore":0.88,"qualityScore":0.93,"spoofDetected":false,
      "spoofConfidence":0.04})");
  Json expected = Json::parse(R"({"type":"turn_right","challengeType":"turn_right",
      "completed":true,"score":75.5,"overallScore":75.5,"passed":true,"remainingChallenges":0,
      "allCompleted":true,"imagePersisted":false})");
  expected["antiSpoofResult"] = anti_spoof;
  EXPECT_EQ(
      caller
          .Post(
              at + "/liveness/frames",
              R"({"frames":["AA==","AA=="],"challengeType":"turn_right","fps":30,"timestamps":[0,33.3]})")
          .json,
      expected);
  expected = Json::parse(R"({"id":"id-2","verificationId":"id-1","challenges":[
      {"type":"blink","completed":true,"score":75.5,"attemptedAt":"2026-01-02T03:04:05.000000Z"},
      {"type":"turn_left","completed":true,"score":75.5,"attemptedAt":"2026-01-02T03:04:05.000000Z"},
      {"type":"turn_right","completed":true,"score":75.5,"attemptedAt":"2026-01-02T03:04:05.000000Z"}],
      "overallScore":75.5,"passed":true,"createdAt":"2026-01-02T03:04:05.000000Z"})");
  expected["antiSpoofResult"] = anti_spoof;
  EXPECT_EQ(caller.Get(at + "/liveness").json, expected);
}

TEST(LifecycleTest, NamesNoChallengeForFramesThatWereForNone) {
  Caller caller;
  const std::string at = "/verifications/" + caller.Create("x");
  caller.Post(at + "/liveness/session");

  const Reply reply = caller.Post(at + "/liveness/frames", R"({"frames":["AA=="]})");

  EXPECT_EQ(reply.status, 200);
  EXPECT_FALSE(reply.json.contains("type"));
  EXPECT_EQ(reply.json["remainingChallenges"], 3);
}

TEST(LifecycleTest, TakesLivenessInlineWithCompletion) {
  Caller caller;
  const std::string id = caller.CreateWithDocument("test-approve-1");

  const Reply reply = caller.Post("/verifications/" + id + "/complete",
                                  R"({"liveness":{"challenges":[
      {"type":"smile","passed":true,"imageBase64":"AA==","frameImages":["AA=="],"diagnostics":"k=v"},
      {"type":"blink","passed":false}]}})");

  EXPECT_EQ(reply.json["livenessVerification"]["challengeResults"], Json::parse(R"([
      {"type":"smile","passed":true,"confidence":0.97},
      {"type":"blink","passed":false,"confidence":0.31}])"));
  EXPECT_EQ(caller.Get("/verifications/" + id + "/images/liveness_smile").status, 200);
  EXPECT_EQ(caller.Get("/verifications/" + id + "/images/liveness_blink").status, 404);
}

TEST(LifecycleTest, RefusesEverythingAfterADecisionAndStaysAsItIs) {
  Caller caller;
  const std::string id = Complete(caller, "test-approve-1");
  const std::string before = Dump(caller.Get("/verifications/" + id).json);

  const Reply again = caller.Post("/verifications/" + id + "/complete");
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(again.json["code"], "INVALID_STATE");
  EXPECT_EQ(caller.Post("/verifications/" + id + "/selfie", R"({"imageBase64":"AA=="})").status,
            409);
  EXPECT_EQ(Dump(caller.Get("/verifications/" + id).json), before);
}

TEST(LifecycleTest, RefusesToCompleteWithoutADocument) {
  Caller caller;

  const Reply reply = caller.Post("/verifications/" + caller.Create("x") + "/complete");

  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(reply.json["code"], "DOCUMENT_REQUIRED");
}

TEST(LifecycleTest, SaysThatAVerificationHasExpired) {
  Caller caller;
  const std::string id = caller.CreateWithDocument("x");
  caller.now += 24h;

  const Reply reply = caller.Post("/verifications/" + id + "/complete");

  EXPECT_EQ(reply.status, 410);
  EXPECT_EQ(reply.json["code"], "SESSION_EXPIRED");
  EXPECT_EQ(caller.StatusOf(id), "expired");
}

TEST(LifecycleTest, FinishesASlowOneTenSecondsLater) {
  Caller caller;
  const std::string id = caller.CreateWithDocument("test-slow-1");

  EXPECT_EQ(caller.Post("/verifications/" + id + "/complete").json["status"], "processing");
  caller.now += 9999ms;
  EXPECT_EQ(caller.StatusOf(id), "processing");
  caller.now += 1ms;
  EXPECT_EQ(caller.StatusOf(id), "verified");
}

TEST(LifecycleTest, LetsAReviewerDecideInAnyLetterCase) {
  Caller caller;
  const std::string id = Complete(caller, "test-review-1");
  EXPECT_EQ(caller.StatusOf(id), "manual_review");

  const Reply reply =
      caller.Post("/verifications/" + id + "/review",
                  R"({"decision":"APPROVE","notes":"ok","overrideReason":"glare"})");

  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.json["status"], "verified");
  EXPECT_EQ(reply.json["decision"], "approve");
  EXPECT_EQ(reply.json["reviewedBy"], "rev-1");
  EXPECT_EQ(reply.json["reviewNotes"], "ok");
  EXPECT_EQ(caller.Post("/verifications/" + id + "/review", R"({"decision":"reject"})").status,
            409);
}

TEST(LifecycleTest, RejectsByReview) {
  Caller caller;
  const std::string id = Complete(caller, "test-review-1");

  const Reply reply = caller.Post("/verifications/" + id + "/review", R"({"decision":"reject"})");

  EXPECT_EQ(reply.json["status"], "rejected");
  EXPECT_EQ(reply.json["decision"], "reject");
  EXPECT_EQ(reply.json["decisionCodes"], Json::parse(R"(["REJECTED"])"));
  EXPECT_FALSE(reply.json.contains("verifiedAt"));
  EXPECT_FALSE(reply.json.contains("reviewNotes"));
}

TEST(LifecycleTest, ListsAndResolvesAFraudAlert) {
  Caller caller;
  EXPECT_EQ(caller.Get("/alerts").json, Json::parse(R"({"alerts":[],"total":0})"));
  const std::string id = Complete(caller, "test-fraud-1");

  const Json list = caller.Get("/alerts?status=open").json;
  ASSERT_EQ(list["total"], 1);
  const Json& alert = list["alerts"][0];
  EXPECT_EQ(alert["verificationId"], id);
  EXPECT_EQ(alert["alertType"], "document_tampering");
  EXPECT_EQ(alert["severity"], "high");
  EXPECT_EQ(alert["status"], "open");

  const std::string resolve = "/alerts/" + std::string(alert["id"]) + "/resolve";
  const Reply resolved = caller.Post(resolve, R"({"status":"dismissed","notes":"known"})");
  EXPECT_EQ(resolved.status, 200);
  EXPECT_EQ(resolved.json["status"], "dismissed");
  EXPECT_EQ(resolved.json["resolvedBy"], "rev-1");
  EXPECT_EQ(resolved.json["notes"], "known");
  EXPECT_EQ(caller.Post(resolve, R"({"status":"dismissed"})").status, 409);
  EXPECT_EQ(caller.Get("/alerts?status=open").json["total"], 0);
  EXPECT_EQ(caller.Get("/alerts?status=").json["total"], 1);
  EXPECT_EQ(caller.Post("/alerts/unknown/resolve", R"({"status":"dismissed"})").json["code"],
            "ALERT_NOT_FOUND");
}

TEST(LifecycleTest, ListsTheVerificationsOfASubject) {
  Caller caller;
  const std::string first = caller.Create("anyone");
  const std::string second = caller.Create("anyone");

  const Json list = caller.Get("/subjects/anyone/verifications").json;

  EXPECT_EQ(list["total"], 2);
  EXPECT_EQ(list["verifications"][0]["id"], second);
  EXPECT_EQ(list["verifications"][1]["id"], first);
  EXPECT_EQ(caller.Get("/subjects/nobody/verifications").json,
            Json::parse(R"({"verifications":[],"total":0})"));
}

TEST(LifecycleTest, GivesUrlsForUploadedImagesOnly) {
  Caller caller;
  const std::string id = caller.CreateWithDocument("x");
  const std::string at = "/verifications/" + id + "/images";

  EXPECT_EQ(caller.Get(at).json["images"][0],
            Json::parse(R"({"type":"document_front","available":true})"));
  EXPECT_EQ(caller.Get(at).json["images"][2],
            Json::parse(R"({"type":"selfie","available":false})"));
  const Reply url = caller.Get(at + "/document_front");
  EXPECT_EQ(url.json["imageType"], "document_front");
  EXPECT_EQ(url.json["expiresIn"], 900);
  const std::string target =
      std::string(url.json["url"]).substr(std::string("http://localhost").size());
  EXPECT_THAT(target, testing::StartsWith("/storage/" + id + "/document_front.jpg?"));
  EXPECT_EQ(caller.Exchange("GET", target).status, 200);
  caller.now += std::chrono::seconds(900);
  EXPECT_EQ(caller.Exchange("GET", target).status, 400);
  EXPECT_EQ(caller.Get(at + "/selfie").status, 404);
  EXPECT_EQ(caller.Get(at + "/portrait").status, 400);
  EXPECT_EQ(caller.Get("/verifications/unknown/images/selfie").json["code"],
            "VERIFICATION_NOT_FOUND");
}

TEST(LifecycleTest, FiltersDocumentTypesByCountry) {
  Caller caller;

  const Json all = caller.Get("/document-types").json;
  EXPECT_EQ(all["success"], true);
  EXPECT_EQ(all["total"], 42);
  EXPECT_EQ(all["documentTypes"].size(), 42U);
  const Json ghana = caller.Get("/document-types?country=gh").json;
  EXPECT_EQ(ghana["total"], 2);
  EXPECT_EQ(ghana["documentTypes"][0], Json::parse(R"({"type":"ghana_card","name":"Ghana Card",
      "country":"GH","requiresBack":true,"hasMrz":false,"supportedOcr":true})"));
  EXPECT_EQ(ghana["countries"], Json::parse(R"([{"code":"GH","name":"Ghana","region":"Africa"}])"));
  EXPECT_EQ(caller.Get("/document-types?country=ZZ").json,
            Json::parse(R"({"success":true,"total":0,"documentTypes":[],"countries":[]})"));
}

}  // namespace
}  // namespace idv::sandbox
