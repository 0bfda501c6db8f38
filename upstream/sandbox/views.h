#ifndef UPSTREAM_SANDBOX_VIEWS_H_
#define UPSTREAM_SANDBOX_VIEWS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "upstream/sandbox/json.h"
#include "upstream/sandbox/record.h"

namespace idv::sandbox {

// The JSON of every answer that is not a whole verification, upstream-api.md sections 7.8, 7.9
// and 9. The functions on uploads take the verification after the upload.

Json DocumentResultJson(const Verification& verification);
Json DocumentBackResultJson(const Verification& verification);
Json SelfieResultJson(const Verification& verification);

// Needs a session. POST leaves out what no challenge has been attempted for.
Json LivenessSessionJson(const Verification& verification);
Json ChallengeResultJson(const Verification& verification, std::string_view type);
// Undocumented upstream: a challenge result (with its type only if the frames were for a challenge)
// with the anti-spoof object that a temporal analysis would give.
Json FramesResultJson(const Verification& verification, const std::optional<std::string>& type);

Json ImagesJson(const Verification& verification);
Json ImageUrlJson(std::string_view type, std::string url);

Json VerificationsJson(const std::vector<const Verification*>& verifications);
Json AlertJson(const Alert& alert);
Json AlertsJson(const std::vector<const Alert*>& alerts);

// All, or those of one country (any case).
Json DocumentTypesJson(const std::optional<std::string>& country);

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_VIEWS_H_
