#ifndef UPSTREAM_SANDBOX_VERIFICATION_VIEW_H_
#define UPSTREAM_SANDBOX_VERIFICATION_VIEW_H_

#include "upstream/sandbox/json.h"
#include "upstream/sandbox/record.h"

namespace idv::sandbox {

// The JSON of a verification, upstream-api.md sections 7.1 to 7.7. A number, time or text that is
// not set is left out, never null. What a check found is there once a decision was taken.
Json VerificationJson(const Verification& verification);

// `antiSpoofScores` of a verification, `antiSpoofResult` of a liveness session.
Json AntiSpoofJson(const AntiSpoof& scores);

// What the document says: the caller's expected names if it gave any, a fixture otherwise.
struct Holder {
  std::string first_name;
  std::string last_name;
  std::string_view document_number;
  std::string_view birth;
  std::string_view expiry;
  std::string country;
  bool has_mrz;
};
Holder HolderOf(const Verification& verification);

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_VERIFICATION_VIEW_H_
