#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "gateway/verify/frame_plan.h"
#include "kora/idv/v1/biometric_service.pb.h"
#include "kora/idv/v1/document_service.pb.h"
#include "kora/idv/v1/liveness.pb.h"
#include "kora/idv/v1/liveness_service.pb.h"
#include "kora/idv/v1/verification.pb.h"

namespace idv::verify {

// What of an answer matters to whoever watches, in words and as facts for a program. Nothing of it
// is personal data: scores, statuses and codes only.

// As in MANUAL_REVIEW. UNKNOWN for a status that the enum does not know yet: it must not pass for a
// known one.
std::string StatusName(const kora::idv::v1::Verification& verification);
// As StatusName(), with the upstream's own word when that is UNKNOWN.
std::string StatusText(const kora::idv::v1::Verification& verification);
nlohmann::json StatusFacts(const kora::idv::v1::Verification& verification);

// In the upstream's spelling; empty when there is none.
std::string DecisionName(const kora::idv::v1::Verification& verification);
std::optional<double> OverallScore(const kora::idv::v1::Verification& verification);

// The upstream's own word if it sent one: that is there for challenges newer than the enum, too.
std::string ChallengeName(kora::idv::v1::LivenessChallengeType type, const std::string& raw);

// The words; the facts are added to `facts`, an object.
std::string Described(const kora::idv::v1::DocumentResult& result, nlohmann::json& facts);
std::string Described(const kora::idv::v1::SelfieResult& result, nlohmann::json& facts);
std::string Described(const kora::idv::v1::LivenessChallengeResult& result, nlohmann::json& facts);
std::string Described(const kora::idv::v1::LivenessFramesResult& result, nlohmann::json& facts);

// How many frames of which size were sent, as in "30 x 64 KiB", or "12 of 30 x 64 KiB" when the
// gateway answered before it had all.
std::string FramesText(int sent, const FramePlan& plan);
nlohmann::json FramesFacts(int sent, const FramePlan& plan);

}  // namespace idv::verify
