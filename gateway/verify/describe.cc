#include "gateway/verify/describe.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_join.h>
#include <absl/strings/strip.h>

#include <vector>

#include "gateway/verify/text.h"

namespace idv::verify {

namespace v1 = kora::idv::v1;
using nlohmann::json;

std::string StatusName(const v1::Verification& verification) {
  if (verification.status() == v1::VERIFICATION_STATUS_UNSPECIFIED) return "UNKNOWN";
  const auto name = v1::VerificationStatus_Name(verification.status());
  return std::string(absl::StripPrefix(name, "VERIFICATION_STATUS_"));
}

std::string DecisionName(const v1::Verification& verification) {
  if (!verification.decision_raw().empty()) return verification.decision_raw();
  if (verification.decision() == v1::VERIFICATION_DECISION_UNSPECIFIED) return "";
  const auto name = v1::VerificationDecision_Name(verification.decision());
  return absl::AsciiStrToLower(absl::StripPrefix(name, "VERIFICATION_DECISION_"));
}

std::optional<double> OverallScore(const v1::Verification& verification) {
  if (verification.has_overall_score()) return verification.overall_score();
  if (verification.scores().has_overall()) return verification.scores().overall();
  return std::nullopt;
}

std::string ChallengeName(v1::LivenessChallengeType type, const std::string& raw) {
  if (!raw.empty()) return raw;
  const auto name = v1::LivenessChallengeType_Name(type);
  return absl::AsciiStrToLower(absl::StripPrefix(name, "LIVENESS_CHALLENGE_TYPE_"));
}

std::string Described(const v1::DocumentResult& result, json& facts) {
  std::vector<std::string> parts;
  if (result.has_success() && !result.success()) parts.push_back("not accepted");
  if (result.has_quality_score()) {
    parts.push_back("quality " + Score(result.quality_score()));
    facts["quality_score"] = result.quality_score();
  }
  if (result.warnings_size() > 0) {
    parts.push_back("warnings " + absl::StrJoin(result.warnings(), " "));
    facts["warnings"] =
        std::vector<std::string>(result.warnings().begin(), result.warnings().end());
  }
  return parts.empty() ? "done" : absl::StrJoin(parts, ", ");
}

std::string Described(const v1::SelfieResult& result, json& facts) {
  std::vector<std::string> parts;
  if (result.has_face_detected()) {
    parts.emplace_back(result.face_detected() ? "face detected" : "no face");
    facts["face_detected"] = result.face_detected();
  }
  if (result.has_quality_score()) {
    parts.push_back("quality " + Score(result.quality_score()));
    facts["quality_score"] = result.quality_score();
  }
  if (result.face_match().has_score()) {
    parts.push_back("match " + Score(result.face_match().score()));
    facts["match_score"] = result.face_match().score();
  }
  return parts.empty() ? "done" : absl::StrJoin(parts, ", ");
}

std::string Described(const v1::LivenessChallengeResult& result, json& facts) {
  std::string text = "submitted";
  if (result.has_completed()) {
    text = result.completed() ? "passed" : "not passed";
    facts["completed"] = result.completed();
  }
  if (result.has_score()) {
    text += ", score " + Score(result.score());
    facts["score"] = result.score();
  }
  return text;
}

// It may resemble a challenge's result, a session or an anti-spoof result: see the proto.
std::string Described(const v1::LivenessFramesResult& result, json& facts) {
  std::vector<std::string> parts;
  if (result.has_completed()) {
    parts.emplace_back(result.completed() ? "passed" : "not passed");
    facts["completed"] = result.completed();
  }
  if (result.has_score()) {
    parts.push_back("score " + Score(result.score()));
    facts["score"] = result.score();
  }
  if (result.has_passed()) {
    parts.emplace_back(result.passed() ? "liveness passed" : "liveness not passed");
    facts["passed"] = result.passed();
  }
  if (result.has_overall_score()) facts["overall_score"] = result.overall_score();
  if (result.anti_spoof_result().has_spoof_detected()) {
    const bool detected = result.anti_spoof_result().spoof_detected();
    parts.emplace_back(detected ? "spoof detected" : "no spoof");
    facts["spoof_detected"] = detected;
  }
  return parts.empty() ? "submitted" : absl::StrJoin(parts, ", ");
}

std::string FramesText(int sent, const FramePlan& plan) {
  const auto missing = sent < plan.count ? " of " + std::to_string(plan.count) : "";
  return std::to_string(sent) + missing + " x " + ExactSize(plan.bytes);
}

json FramesFacts(int sent, const FramePlan& plan) {
  return {{"frames", sent}, {"frame_bytes", plan.bytes}, {"bytes", plan.Bytes(sent)}};
}

json StatusFacts(const v1::Verification& verification) {
  json facts{{"status", StatusName(verification)}};
  if (verification.status() == v1::VERIFICATION_STATUS_UNSPECIFIED) {
    facts["status_raw"] = verification.status_raw();
  }
  return facts;
}

std::string StatusText(const v1::Verification& verification) {
  if (verification.status() != v1::VERIFICATION_STATUS_UNSPECIFIED) return StatusName(verification);
  return "UNKNOWN (the upstream says '" + verification.status_raw() + "')";
}

}  // namespace idv::verify
