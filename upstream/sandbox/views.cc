#include "upstream/sandbox/views.h"

#include "upstream/sandbox/ascii.h"
#include "upstream/sandbox/document_types.h"
#include "upstream/sandbox/image_storage.h"
#include "upstream/sandbox/verification_view.h"

namespace idv::sandbox {
namespace {

constexpr double kChallengeScore = 75.5;

Json OcrResult(const Holder& holder) {
  Json json = {
      {"fullText", holder.last_name + " " + holder.first_name},
      {"textBlocks", {holder.last_name, holder.first_name, holder.document_number}},
      {"language", "en"},
      {"confidence", 0.96},
      {"mrzDetected", holder.has_mrz},
      {"faceCount", 1},
      {"fields", {{"firstName", holder.first_name}, {"lastName", holder.last_name}}},
      {"mrzData", Json::object()},
  };
  if (holder.has_mrz) {
    json["mrzData"] = {{"documentNumber", holder.document_number}, {"nationality", holder.country}};
  }
  return json;
}

Json ExtractedData(const Holder& holder) {
  return {{"firstName", holder.first_name},
          {"lastName", holder.last_name},
          {"documentNumber", holder.document_number},
          {"dateOfBirth", holder.birth},
          {"expirationDate", holder.expiry},
          {"issuingCountry", holder.country},
          {"age", 35}};
}

// An empty list stays a list: Json(vector) of an empty vector is [].
Json Warnings(const Verification& verification) { return verification.outcome->warnings; }

// What challenges and frames have in common.
void AddProgress(Json& json, const LivenessSession& session) {
  json["completed"] = true;
  json["score"] = kChallengeScore;
  json["overallScore"] = kChallengeScore;
  json["passed"] = session.Passed();
  json["remainingChallenges"] = session.Remaining();
  json["allCompleted"] = session.Passed();
  json["imagePersisted"] = false;
}

// `type` for the mobile and web SDKs, `challengeType` for the server SDK.
Json NamedChallenge(std::string_view type) { return {{"type", type}, {"challengeType", type}}; }

}  // namespace

Json DocumentResultJson(const Verification& verification) {
  const Holder holder = HolderOf(verification);
  return {{"documentId", verification.GetDocument().id},
          {"documentType", verification.GetDocument().type},
          {"qualityScore", verification.outcome->scores.document_quality},
          {"ocrResult", OcrResult(holder)},
          {"extractedData", ExtractedData(holder)},
          {"warnings", Warnings(verification)},
          {"imagePersisted", false}};
}

Json DocumentBackResultJson(const Verification& verification) {
  return {{"documentId", verification.GetDocument().id},
          {"documentType", verification.GetDocument().type + "_back"},
          {"qualityScore", verification.outcome->scores.document_quality},
          {"warnings", Warnings(verification)},
          {"imagePersisted", false}};
}

Json SelfieResultJson(const Verification& verification) {
  const Outcome& outcome = *verification.outcome;
  return {{"faceDetected", true},
          {"faceCount", 1},
          {"qualityScore", 91.3},
          {"qualityIssues", Warnings(verification)},
          {"faceMatch",
           {{"matched", outcome.face_matches},
            {"score", outcome.scores.face_match},
            {"confidence", "high"}}},
          {"warnings", Warnings(verification)},
          {"imagePersisted", false}};
}

Json LivenessSessionJson(const Verification& verification) {
  const LivenessSession& session = verification.GetLiveness();
  Json challenges = Json::array();
  for (const Challenge& challenge : session.challenges) {
    Json item = {{"type", challenge.type}, {"completed", challenge.attempted_at.has_value()}};
    if (challenge.attempted_at) {
      item["score"] = kChallengeScore;
      item["attemptedAt"] = FormatTime(*challenge.attempted_at);
    }
    challenges.push_back(std::move(item));
  }
  Json json = {{"id", session.id},
               {"verificationId", verification.id},
               {"challenges", std::move(challenges)}};
  if (session.Attempted()) json["overallScore"] = kChallengeScore;
  json["passed"] = session.Passed();
  json["createdAt"] = FormatTime(session.created_at);
  if (session.Attempted())
    json["antiSpoofResult"] = AntiSpoofJson(verification.outcome->anti_spoof);
  return json;
}

Json ChallengeResultJson(const Verification& verification, std::string_view type) {
  Json json = NamedChallenge(type);
  AddProgress(json, verification.GetLiveness());
  return json;
}

Json FramesResultJson(const Verification& verification, const std::optional<std::string>& type) {
  Json json = type ? NamedChallenge(*type) : Json::object();
  AddProgress(json, verification.GetLiveness());
  json["antiSpoofResult"] = AntiSpoofJson(verification.outcome->anti_spoof);
  return json;
}

Json ImagesJson(const Verification& verification) {
  Json images = Json::array();
  for (const std::string_view type : kImageTypes) {
    images.push_back({{"type", type}, {"available", verification.HasImage(type)}});
  }
  return {{"images", std::move(images)}};
}

Json ImageUrlJson(std::string_view type, std::string url) {
  return {{"imageType", type},
          {"url", std::move(url)},
          {"expiresIn", ImageStorage::kUrlLifetime.count()}};
}

Json VerificationsJson(const std::vector<const Verification*>& verifications) {
  Json list = Json::array();
  for (const Verification* const verification : verifications) {
    list.push_back(VerificationJson(*verification));
  }
  return {{"verifications", std::move(list)}, {"total", verifications.size()}};
}

Json AlertJson(const Alert& alert) {
  Json json = {{"id", alert.id},
               {"tenantId", alert.tenant_id},
               {"verificationId", alert.verification_id},
               {"externalId", alert.external_id},
               {"alertType", Alert::kType},
               {"severity", Alert::kSeverity},
               {"description", "The photo of the document was replaced."},
               {"status", alert.status},
               {"createdAt", FormatTime(alert.created_at)}};
  if (alert.resolved_at) json["resolvedAt"] = FormatTime(*alert.resolved_at);
  if (alert.resolved_by) json["resolvedBy"] = *alert.resolved_by;
  if (alert.notes) json["notes"] = *alert.notes;
  return json;
}

Json AlertsJson(const std::vector<const Alert*>& alerts) {
  Json list = Json::array();
  for (const Alert* const alert : alerts) list.push_back(AlertJson(*alert));
  return {{"alerts", std::move(list)}, {"total", alerts.size()}};
}

Json DocumentTypesJson(const std::optional<std::string>& country) {
  const auto wanted = [&country](std::string_view code) {
    return !country || country->empty() || EqualsIgnoringCase(*country, code);
  };
  Json types = Json::array();
  for (const DocumentType& type : DocumentTypes()) {
    if (!wanted(type.country)) continue;
    types.push_back({{"type", type.code},
                     {"name", type.name},
                     {"country", type.country},
                     {"requiresBack", type.requires_back},
                     {"hasMrz", type.has_mrz},
                     {"supportedOcr", true}});
  }
  Json countries = Json::array();
  for (const Country& item : Countries()) {
    if (!wanted(item.code)) continue;
    countries.push_back({{"code", item.code}, {"name", item.name}, {"region", item.region}});
  }
  return {{"success", true},
          {"total", types.size()},
          {"documentTypes", std::move(types)},
          {"countries", std::move(countries)}};
}

}  // namespace idv::sandbox
