#ifndef UPSTREAM_SANDBOX_OUTCOMES_H_
#define UPSTREAM_SANDBOX_OUTCOMES_H_

#include <chrono>
#include <string_view>
#include <vector>

namespace idv::sandbox {

// upstream-api.md section 8.1. The documented `failed` never happens here.
enum class Status { kPending, kProcessing, kVerified, kRejected, kManualReview, kExpired };

std::string_view StatusName(Status status);

struct RiskSignal {
  std::string_view code;
  std::string_view severity;
  std::string_view message;
};

// Sub-scores run from 0 to 1, as in upstream-api.md section 18; the scale on the wire is unknown.
struct AntiSpoof {
  double texture, frequency, challenge, temporal, quality;
  bool detected;
  std::string_view type;  // empty unless detected
  double confidence;
};

struct DocumentAuth {
  double templates, font, photo_integrity, compression, edge;
  bool tampered;
  std::string_view tamper_type;  // empty unless tampered
  double confidence;
};

// 0 to 100, the similarity and the confidence 0 to 1.
struct Scores {
  double document_quality, document_auth, face_match, face_similarity, face_confidence, liveness;
  double name_match, data_consistency, mrz_validity, compliance, overall;
};

// Everything that the prefix of an externalId decides. All of it is constant, so that a test can
// demand exact values.
struct Outcome {
  std::string_view prefix;
  Status status;  // as decided by /complete
  std::string_view decision;
  std::string_view reason;
  std::vector<std::string_view> reject_codes;
  Scores scores;
  double authenticity;  // 0 to 1
  bool face_matches;
  AntiSpoof anti_spoof;
  DocumentAuth document_auth;
  std::vector<RiskSignal> risk_signals;
  std::vector<std::string_view> warnings;  // of uploads
  bool raises_alert;
  std::chrono::milliseconds scoring;        // how long it stays `processing` after /complete
  std::chrono::milliseconds expires_after;  // the decision; zero = never
};

// By the prefix of the externalId, upstream-api.md section 11; that of `test-approve-` for any
// other externalId. Lives forever.
const Outcome& OutcomeOf(std::string_view external_id);

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_OUTCOMES_H_
