#include "upstream/sandbox/verification_view.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/upstream/sandbox/caller.h"

namespace idv::sandbox {
namespace {

class VerificationViewTest : public testing::Test {
 protected:
  Json Decided(NewVerification request, bool with_all = true) {
    const std::string id = store_.Create(kTenant, std::move(request), StartOfTest())->id;
    const Ref ref{kTenant, id, StartOfTest()};
    store_.AddDocument(ref, "international_passport", "NG");
    if (with_all) {
      store_.AddSelfie(ref);
      store_.StartLiveness(ref);
      store_.AddChallenge(ref, "blink");
    }
    return VerificationJson(*store_.Complete(ref, {}));
  }

  Store store_{CountingIds()};
};

TEST_F(VerificationViewTest, ShowsEveryDocumentedFieldOfAnApproval) {
  EXPECT_EQ(Decided({.external_id = "test-approve-1",
                     .tier = "enhanced",
                     .callback_url = "https://example.test/h",
                     .expected_first_name = "Ada",
                     .expected_last_name = "Lace",
                     .metadata = Json{{"source", "web"}}}),
            Json::parse(R"({
    "id":"id-1","externalId":"test-approve-1","tenantId":"550e8400-e29b-41d4-a716-446655440000",
    "tier":"enhanced","status":"verified","callbackUrl":"https://example.test/h",
    "expectedFirstName":"Ada","expectedLastName":"Lace","metadata":{"source":"web"},
    "documentId":"id-2","selectedCountry":"NG","livenessSessionId":"id-3",
    "documentVerification":{"documentType":"international_passport","documentNumber":"X12345678",
      "firstName":"Ada","lastName":"Lace","dateOfBirth":"1991-02-03","expirationDate":"2031-02-03",
      "issuingCountry":"NG","mrzValid":true,"authenticityScore":0.92,
      "extractedFields":{"nationality":"NG","sex":"F","placeOfBirth":"SAMPLETOWN"}},
    "faceVerification":{"matchScore":96.8,"matchResult":"match","confidence":0.97},
    "livenessVerification":{"livenessScore":95.5,"isLive":true,"challengeResults":[
      {"type":"blink","passed":true,"confidence":0.97},
      {"type":"turn_left","passed":false,"confidence":0.31},
      {"type":"turn_right","passed":false,"confidence":0.31}]},
    "scores":{"documentQuality":94.2,"documentAuth":95.1,"faceMatch":96.8,
      "faceEmbeddingSimilarity":0.93,"faceMatchConfidence":0.97,"liveness":95.5,"nameMatch":100.0,
      "nameMatchResult":{"hasExpectedNames":true},"dataConsistency":97.4,"mrzValidity":100.0,
      "complianceScore":100.0,"overall":96.3,
      "antiSpoofScores":{"textureScore":0.91,"frequencyScore":0.89,"challengeScore":0.95,
        "temporalScore":0.88,"qualityScore":0.93,"spoofDetected":false,"spoofConfidence":0.04},
      "docAuthScores":{"templateScore":0.94,"fontScore":0.92,"photoIntegrity":0.96,
        "compressionScore":0.9,"edgeScore":0.93,"tamperDetected":false,"tamperConfidence":0.03}},
    "riskSignals":[{"code":"LOW_RISK","severity":"low","message":"No risk was found."}],
    "riskScore":4,"decision":"auto_approve","decisionReason":"All checks passed.",
    "imagePersisted":false,"attemptCount":1,"maxAttemptsPerDay":5,
    "createdAt":"2026-01-02T03:04:05.000000Z","updatedAt":"2026-01-02T03:04:05.000000Z",
    "expiresAt":"2026-01-03T03:04:05.000000Z","submittedAt":"2026-01-02T03:04:05.000000Z",
    "completedAt":"2026-01-02T03:04:05.000000Z","verifiedAt":"2026-01-02T03:04:05.000000Z"})"));
}

TEST_F(VerificationViewTest, ShowsWhyItWasRejected) {
  const Json json = Decided({.external_id = "test-fraud-1", .tier = "standard"});

  EXPECT_EQ(json["status"], "rejected");
  EXPECT_EQ(json["decision"], "auto_reject");
  EXPECT_EQ(json["decisionCodes"], Json::parse(R"(["DATA_INCONSISTENT","REJECTED"])"));
  EXPECT_EQ(json["rejectionReason"], json["decisionReason"]);
  EXPECT_EQ(json["riskScore"], 73);
  EXPECT_EQ(json["scores"]["docAuthScores"]["tamperType"], "photo_replacement");
  EXPECT_EQ(json["riskSignals"].size(), 2U);
  EXPECT_FALSE(json.contains("verifiedAt"));
  EXPECT_TRUE(json.contains("completedAt"));
}

TEST_F(VerificationViewTest, LeavesOutWhatWasNeverUploadedOrAsked) {
  const Json json = Decided({.external_id = "x", .tier = "basic"}, /*with_all=*/false);

  EXPECT_FALSE(json.contains("faceVerification"));
  EXPECT_FALSE(json.contains("livenessVerification"));
  EXPECT_FALSE(json.contains("livenessSessionId"));
  EXPECT_FALSE(json.contains("metadata"));
  EXPECT_FALSE(json["scores"].contains("complianceScore"));
  EXPECT_EQ(json["scores"]["nameMatchResult"]["hasExpectedNames"], false);
  EXPECT_EQ(json["scores"]["nameMatch"], 0.0);
}

// The vendor's own client breaks on null for lists and numbers.
TEST_F(VerificationViewTest, NeverSaysNull) {
  const std::function<bool(const Json&)> has_null = [&has_null](const Json& json) {
    if (json.is_null()) return true;
    if (!json.is_structured()) return false;
    return std::any_of(json.begin(), json.end(), has_null);
  };
  for (const char* const external_id :
       {"test-approve-1", "test-reject-1", "test-fraud-1", "test-review-1", "test-slow-1"}) {
    EXPECT_FALSE(has_null(Decided({.external_id = external_id, .tier = "basic"}))) << external_id;
    EXPECT_FALSE(has_null(Decided({.external_id = external_id, .tier = "basic"}, false)))
        << external_id;
  }
}

}  // namespace
}  // namespace idv::sandbox
