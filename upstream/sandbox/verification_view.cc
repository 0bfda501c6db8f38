#include "upstream/sandbox/verification_view.h"

#include <algorithm>
#include <cmath>

#include "upstream/sandbox/document_types.h"

namespace idv::sandbox {
namespace {

constexpr double kChallengeConfidence = 0.97;
constexpr double kFailedChallengeConfidence = 0.31;

void Add(Json& json, const char* key, const std::optional<std::string>& text) {
  if (text) json[key] = *text;
}

void Add(Json& json, const char* key, const std::optional<Time>& time) {
  if (time) json[key] = FormatTime(*time);
}

Json DocumentVerification(const Verification& verification) {
  const Holder holder = HolderOf(verification);
  Json json = {{"documentType", verification.GetDocument().type},
               {"documentNumber", holder.document_number},
               {"firstName", holder.first_name},
               {"lastName", holder.last_name},
               {"dateOfBirth", holder.birth},
               {"expirationDate", holder.expiry},
               {"issuingCountry", holder.country}};
  if (holder.has_mrz) json["mrzValid"] = verification.outcome->scores.mrz_validity >= 50;
  json["authenticityScore"] = verification.outcome->authenticity;
  json["extractedFields"] = {
      {"nationality", holder.country}, {"sex", "F"}, {"placeOfBirth", "SAMPLETOWN"}};
  return json;
}

Json FaceVerification(const Outcome& outcome) {
  return {{"matchScore", outcome.scores.face_match},
          {"matchResult", outcome.face_matches ? "match" : "no_match"},
          {"confidence", outcome.scores.face_confidence}};
}

bool CameInline(const Verification& verification, const Challenge& challenge) {
  const auto& inline_challenges = verification.inline_challenges;
  return std::any_of(inline_challenges.begin(), inline_challenges.end(),
                     [&](const InlineChallenge& other) { return other.type == challenge.type; });
}

// Those of the session, and those that came with /complete, which win.
Json ChallengeResults(const Verification& verification) {
  Json results = Json::array();
  const auto add = [&results](const std::string& type, bool passed) {
    results.push_back({{"type", type},
                       {"passed", passed},
                       {"confidence", passed ? kChallengeConfidence : kFailedChallengeConfidence}});
  };
  if (verification.liveness) {
    for (const Challenge& challenge : verification.liveness->challenges) {
      if (CameInline(verification, challenge)) continue;
      add(challenge.type, challenge.attempted_at.has_value());
    }
  }
  for (const InlineChallenge& challenge : verification.inline_challenges) {
    add(challenge.type, challenge.passed);
  }
  return results;
}

Json LivenessVerification(const Verification& verification) {
  return {{"livenessScore", verification.outcome->scores.liveness},
          {"isLive", !verification.outcome->anti_spoof.detected},
          {"challengeResults", ChallengeResults(verification)}};
}

Json DocumentAuthJson(const DocumentAuth& scores) {
  Json json = {{"templateScore", scores.templates},
               {"fontScore", scores.font},
               {"photoIntegrity", scores.photo_integrity},
               {"compressionScore", scores.compression},
               {"edgeScore", scores.edge},
               {"tamperDetected", scores.tampered}};
  if (scores.tampered) json["tamperType"] = scores.tamper_type;
  json["tamperConfidence"] = scores.confidence;
  return json;
}

bool HasExpectedNames(const Verification& verification) {
  const NewVerification& request = verification.request;
  const auto given = [](const std::optional<std::string>& name) { return name && !name->empty(); };
  return given(request.expected_first_name) || given(request.expected_last_name);
}

Json ScoresJson(const Verification& verification) {
  const Scores& scores = verification.outcome->scores;
  const bool has_names = HasExpectedNames(verification);
  Json json = {{"documentQuality", scores.document_quality},
               {"documentAuth", scores.document_auth},
               {"faceMatch", scores.face_match},
               {"faceEmbeddingSimilarity", scores.face_similarity},
               {"faceMatchConfidence", scores.face_confidence},
               {"liveness", scores.liveness},
               {"nameMatch", has_names ? scores.name_match : 0.0},
               {"nameMatchResult", {{"hasExpectedNames", has_names}}},
               {"dataConsistency", scores.data_consistency}};
  if (HolderOf(verification).has_mrz) json["mrzValidity"] = scores.mrz_validity;
  // "Omitted when no compliance screening ran"; that the basic tier has none is our guess.
  if (verification.request.tier != "basic") json["complianceScore"] = scores.compliance;
  json["overall"] = scores.overall;
  json["antiSpoofScores"] = AntiSpoofJson(verification.outcome->anti_spoof);
  json["docAuthScores"] = DocumentAuthJson(verification.outcome->document_auth);
  return json;
}

Json RiskSignals(const Outcome& outcome) {
  Json signals = Json::array();
  for (const RiskSignal& signal : outcome.risk_signals) {
    signals.push_back(
        {{"code", signal.code}, {"severity", signal.severity}, {"message", signal.message}});
  }
  return signals;
}

void AddRequest(Json& json, const NewVerification& request) {
  Add(json, "callbackUrl", request.callback_url);
  Add(json, "expectedFirstName", request.expected_first_name);
  Add(json, "expectedLastName", request.expected_last_name);
  if (request.metadata) json["metadata"] = *request.metadata;
}

void AddUploads(Json& json, const Verification& verification) {
  if (verification.document) {
    json["documentId"] = verification.document->id;
    Add(json, "selectedCountry", verification.document->country);
  }
  if (verification.liveness) json["livenessSessionId"] = verification.liveness->id;
}

void AddFindings(Json& json, const Verification& verification) {
  const Outcome& outcome = *verification.outcome;
  json["documentVerification"] = DocumentVerification(verification);
  if (verification.HasImage("selfie")) json["faceVerification"] = FaceVerification(outcome);
  if (verification.liveness || !verification.inline_challenges.empty()) {
    json["livenessVerification"] = LivenessVerification(verification);
  }
  json["scores"] = ScoresJson(verification);
  json["riskSignals"] = RiskSignals(outcome);
  json["riskScore"] = std::lround(100 - outcome.scores.overall);
}

void AddDecision(Json& json, const Verification& verification) {
  json["decision"] = verification.decision;
  json["decisionReason"] = verification.decision_reason;
  if (!verification.decision_codes.empty()) {
    json["decisionCodes"] = verification.decision_codes;
    json["rejectionReason"] = verification.decision_reason;
  }
  Add(json, "reviewedBy", verification.reviewed_by);
  Add(json, "reviewNotes", verification.review_notes);
}

}  // namespace

Holder HolderOf(const Verification& verification) {
  const Document& document = verification.GetDocument();
  const DocumentType* const type = FindDocumentType(document.type);
  const bool national = type != nullptr && type->country != "INTL";
  const auto name = [](const std::optional<std::string>& expected, const char* fixture) {
    return expected && !expected->empty() ? *expected : std::string(fixture);
  };
  return {.first_name = name(verification.request.expected_first_name, "ADA"),
          .last_name = name(verification.request.expected_last_name, "OBI"),
          .document_number = "X12345678",
          .birth = "1991-02-03",
          .expiry = "2031-02-03",
          .country = document.country.value_or(national ? std::string(type->country) : "NG"),
          .has_mrz = type != nullptr && type->has_mrz};
}

Json AntiSpoofJson(const AntiSpoof& scores) {
  Json json = {{"textureScore", scores.texture},     {"frequencyScore", scores.frequency},
               {"challengeScore", scores.challenge}, {"temporalScore", scores.temporal},
               {"qualityScore", scores.quality},     {"spoofDetected", scores.detected}};
  if (scores.detected) json["spoofType"] = scores.type;
  json["spoofConfidence"] = scores.confidence;
  return json;
}

Json VerificationJson(const Verification& verification) {
  Json json = {{"id", verification.id},
               {"externalId", verification.request.external_id},
               {"tenantId", verification.tenant_id},
               {"tier", verification.request.tier},
               {"status", StatusName(verification.status)}};
  AddRequest(json, verification.request);
  AddUploads(json, verification);
  if (!verification.decision.empty()) {
    AddFindings(json, verification);
    AddDecision(json, verification);
  }
  // upstream-api.md section 11: the vendor's sandbox stores no image.
  json["imagePersisted"] = false;
  json["attemptCount"] = verification.attempt;
  if (verification.attempts_per_day > 0) {
    json["maxAttemptsPerDay"] = verification.attempts_per_day;
  }
  json["createdAt"] = FormatTime(verification.created_at);
  json["updatedAt"] = FormatTime(verification.updated_at);
  json["expiresAt"] = FormatTime(verification.expires_at);
  Add(json, "submittedAt", verification.submitted_at);
  Add(json, "completedAt", verification.completed_at);
  Add(json, "verifiedAt", verification.verified_at);
  return json;
}

}  // namespace idv::sandbox
