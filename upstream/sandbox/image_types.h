#ifndef UPSTREAM_SANDBOX_IMAGE_TYPES_H_
#define UPSTREAM_SANDBOX_IMAGE_TYPES_H_

#include <array>
#include <bitset>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace idv::sandbox {

// upstream-api.md section 9.10.
inline constexpr std::array<std::string_view, 6> kChallengeTypes = {
    "blink", "smile", "turn_left", "turn_right", "nod_up", "nod_down"};

// upstream-api.md section 13.
inline constexpr std::array<std::string_view, 10> kImageTypes = {
    "document_front",     "document_back",       "selfie",
    "liveness_frame",     "liveness_blink",      "liveness_smile",
    "liveness_turn_left", "liveness_turn_right", "liveness_nod_up",
    "liveness_nod_down"};

// Which of kImageTypes a verification has, by position.
using ImageSet = std::bitset<kImageTypes.size()>;

bool IsChallengeType(std::string_view type);

// Position in kImageTypes; nothing for a type that does not exist.
std::optional<std::size_t> ImageIndex(std::string_view type);

// "blink" -> "liveness_blink".
std::string ChallengeImage(std::string_view challenge_type);

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_IMAGE_TYPES_H_
