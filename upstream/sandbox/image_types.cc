#include "upstream/sandbox/image_types.h"

#include <algorithm>

namespace idv::sandbox {

bool IsChallengeType(std::string_view type) {
  return std::find(kChallengeTypes.begin(), kChallengeTypes.end(), type) != kChallengeTypes.end();
}

std::optional<std::size_t> ImageIndex(std::string_view type) {
  const auto* const found = std::find(kImageTypes.begin(), kImageTypes.end(), type);
  if (found == kImageTypes.end()) return std::nullopt;
  return static_cast<std::size_t>(found - kImageTypes.begin());
}

std::string ChallengeImage(std::string_view challenge_type) {
  return "liveness_" + std::string(challenge_type);
}

}  // namespace idv::sandbox
