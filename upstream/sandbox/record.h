#ifndef UPSTREAM_SANDBOX_RECORD_H_
#define UPSTREAM_SANDBOX_RECORD_H_

#include <optional>
#include <string>
#include <vector>

#include "upstream/sandbox/image_types.h"
#include "upstream/sandbox/json.h"
#include "upstream/sandbox/outcomes.h"
#include "upstream/sandbox/timestamps.h"

namespace idv::sandbox {

// What a caller says when it makes a verification.
struct NewVerification {
  std::string external_id;
  std::string tier;
  std::optional<std::string> callback_url = {};
  std::optional<std::string> expected_first_name = {};
  std::optional<std::string> expected_last_name = {};
  std::optional<Json> metadata = {};
};

struct Challenge {
  std::string type;
  std::optional<Time> attempted_at;  // set = passed: every attempt passes here
};

struct LivenessSession {
  std::string id;
  std::vector<Challenge> challenges;
  Time created_at;

  std::size_t Remaining() const;
  bool Attempted() const { return Remaining() < challenges.size(); }
  bool Passed() const { return Remaining() == 0; }
};

// A challenge that came inline with /complete, with the client's own verdict.
struct InlineChallenge {
  std::string type;
  bool passed;
  bool has_image;
};

struct Document {
  std::string id;
  std::string type;
  std::optional<std::string> country;
};

struct Verification {
  std::string id;
  std::string tenant_id;
  NewVerification request;
  const Outcome* outcome;  // lives forever
  int attempt;             // of this subject on this (UTC) day, from 1
  int attempts_per_day;    // 0 = as many as it likes

  Status status = Status::kPending;
  std::optional<Document> document;
  std::optional<LivenessSession> liveness;
  std::vector<InlineChallenge> inline_challenges;
  ImageSet images;  // which were uploaded; the bytes are never kept

  std::string decision;  // empty until there is one, as are the next two
  std::string decision_reason;
  std::vector<std::string> decision_codes;
  std::optional<std::string> reviewed_by;
  std::optional<std::string> review_notes;

  Time created_at;
  Time updated_at;
  Time expires_at;
  std::optional<Time> submitted_at;
  std::optional<Time> completed_at;  // of the final decision
  std::optional<Time> verified_at;

  bool HasImage(std::string_view type) const;

  // Only where the rules of the store say that there is one; they throw otherwise.
  const Document& GetDocument() const { return document.value(); }         // NOLINT
  const LivenessSession& GetLiveness() const { return liveness.value(); }  // NOLINT
};

struct Alert {
  // There is one kind of fraud.
  static constexpr std::string_view kType = "document_tampering";
  static constexpr std::string_view kSeverity = "high";

  std::string id;
  std::string tenant_id;
  std::string verification_id;
  std::string external_id;
  std::string status = "open";
  Time created_at;
  std::optional<Time> resolved_at;
  std::optional<std::string> resolved_by;
  std::optional<std::string> notes;
};

inline std::size_t LivenessSession::Remaining() const {
  std::size_t remaining = 0;
  for (const Challenge& challenge : challenges) remaining += challenge.attempted_at ? 0 : 1;
  return remaining;
}

inline bool Verification::HasImage(std::string_view type) const {
  const auto index = ImageIndex(type);
  return index && images.test(*index);
}

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_RECORD_H_
