#include "upstream/sandbox/outcomes.h"

namespace idv::sandbox {
namespace {

using namespace std::chrono_literals;

Outcome Approve() {
  return {
      .prefix = "test-approve-",
      .status = Status::kVerified,
      .decision = "auto_approve",
      .reason = "All checks passed.",
      .reject_codes = {},
      .scores = {.document_quality = 94.2,
                 .document_auth = 95.1,
                 .face_match = 96.8,
                 .face_similarity = 0.93,
                 .face_confidence = 0.97,
                 .liveness = 95.5,
                 .name_match = 100.0,
                 .data_consistency = 97.4,
                 .mrz_validity = 100.0,
                 .compliance = 100.0,
                 .overall = 96.3},
      .authenticity = 0.92,
      .face_matches = true,
      .anti_spoof = {0.91, 0.89, 0.95, 0.88, 0.93, false, "", 0.04},
      .document_auth = {0.94, 0.92, 0.96, 0.9, 0.93, false, "", 0.03},
      .risk_signals = {{"LOW_RISK", "low", "No risk was found."}},
      .warnings = {},
      .raises_alert = false,
      .scoring = 0ms,
      .expires_after = 0ms,
  };
}

Outcome Reject() {
  return {
      .prefix = "test-reject-",
      .status = Status::kRejected,
      .decision = "auto_reject",
      .reason = "The face does not match the document.",
      .reject_codes = {"FACE_MISMATCH", "SCORE_LOW"},
      .scores = {.document_quality = 61.5,
                 .document_auth = 55.2,
                 .face_match = 31.4,
                 .face_similarity = 0.28,
                 .face_confidence = 0.91,
                 .liveness = 63.7,
                 .name_match = 100.0,
                 .data_consistency = 52.6,
                 .mrz_validity = 60.0,
                 .compliance = 100.0,
                 .overall = 38.6},
      .authenticity = 0.55,
      .face_matches = false,
      .anti_spoof = {0.62, 0.6, 0.71, 0.58, 0.66, false, "", 0.22},
      .document_auth = {0.57, 0.61, 0.64, 0.55, 0.59, false, "", 0.31},
      .risk_signals = {{"FACE_MISMATCH", "high", "Selfie and document show different faces."}},
      .warnings = {"blurry"},
      .raises_alert = false,
      .scoring = 0ms,
      .expires_after = 0ms,
  };
}

Outcome Fraud() {
  return {
      .prefix = "test-fraud-",
      .status = Status::kRejected,
      .decision = "auto_reject",
      .reason = "The document could not be accepted.",
      .reject_codes = {"DATA_INCONSISTENT", "REJECTED"},
      .scores = {.document_quality = 82.3,
                 .document_auth = 12.5,
                 .face_match = 71.9,
                 .face_similarity = 0.66,
                 .face_confidence = 0.88,
                 .liveness = 74.1,
                 .name_match = 100.0,
                 .data_consistency = 23.8,
                 .mrz_validity = 0.0,
                 .compliance = 100.0,
                 .overall = 27.4},
      .authenticity = 0.12,
      .face_matches = true,
      .anti_spoof = {0.74, 0.7, 0.79, 0.69, 0.77, false, "", 0.18},
      .document_auth = {0.21, 0.17, 0.08, 0.33, 0.14, true, "photo_replacement", 0.96},
      .risk_signals = {{"DOCUMENT_TAMPERING", "critical",
                        "The photo of the document was replaced."},
                       {"DATA_INCONSISTENT", "high", "Printed and encoded data differ."}},
      .warnings = {},
      .raises_alert = true,
      .scoring = 0ms,
      .expires_after = 0ms,
  };
}

Outcome Review() {
  return {
      .prefix = "test-review-",
      .status = Status::kManualReview,
      .decision = "manual_review",
      .reason = "A person has to look at this verification.",
      .reject_codes = {},
      .scores = {.document_quality = 78.4,
                 .document_auth = 72.6,
                 .face_match = 68.9,
                 .face_similarity = 0.61,
                 .face_confidence = 0.79,
                 .liveness = 73.87,
                 .name_match = 100.0,
                 .data_consistency = 70.2,
                 .mrz_validity = 100.0,
                 .compliance = 60.0,
                 .overall = 71.2},
      .authenticity = 0.73,
      .face_matches = true,
      .anti_spoof = {0.72, 0.7, 0.77, 0.68, 0.75, false, "", 0.15},
      .document_auth = {0.75, 0.71, 0.78, 0.69, 0.74, false, "", 0.19},
      .risk_signals = {{"PEP_MATCH", "medium", "The name resembles that of a public person."}},
      .warnings = {"low_contrast"},
      .raises_alert = false,
      .scoring = 0ms,
      .expires_after = 0ms,
  };
}

Outcome Expire() {
  Outcome outcome = Approve();
  outcome.prefix = "test-expired-";
  outcome.expires_after = 1s;  // long enough for the caller to see the approval first
  return outcome;
}

Outcome Slow() {
  Outcome outcome = Approve();
  outcome.prefix = "test-slow-";
  outcome.scoring = 10s;
  return outcome;
}

}  // namespace

std::string_view StatusName(Status status) {
  switch (status) {
    case Status::kPending:
      return "pending";
    case Status::kProcessing:
      return "processing";
    case Status::kVerified:
      return "verified";
    case Status::kRejected:
      return "rejected";
    case Status::kManualReview:
      return "manual_review";
    case Status::kExpired:
      return "expired";
  }
  return "";
}

const Outcome& OutcomeOf(std::string_view external_id) {
  static const std::vector<Outcome> kOutcomes = {Approve(), Reject(), Fraud(),
                                                 Review(),  Expire(), Slow()};
  for (const Outcome& outcome : kOutcomes) {
    if (external_id.substr(0, outcome.prefix.size()) == outcome.prefix) return outcome;
  }
  return kOutcomes.front();
}

}  // namespace idv::sandbox
