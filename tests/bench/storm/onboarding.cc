#include "tests/bench/storm/onboarding.h"

#include <array>
#include <utility>

#include "kora/idv/v1/biometric_service.pb.h"
#include "kora/idv/v1/document_service.pb.h"
#include "kora/idv/v1/liveness_service.pb.h"
#include "kora/idv/v1/verification_service.pb.h"
#include "tests/bench/storm/message.h"

namespace idv::bench::storm {
namespace {

constexpr size_t kImageBytes = 10'000;

std::string Image() { return std::string(kImageBytes, 'x'); }

Request Create(const std::string& external_id) {
  kora::idv::v1::CreateVerificationRequest request;
  request.set_external_id(external_id);
  return {"/kora.idv.v1.VerificationService/CreateVerification", ToByteBuffer(request)};
}

Request UploadDocument(const std::string& id) {
  kora::idv::v1::UploadDocumentRequest request;
  request.set_verification_id(id);
  request.set_document_type("ghana_card");
  request.set_image(Image());
  return {"/kora.idv.v1.DocumentService/UploadDocument", ToByteBuffer(request)};
}

Request UploadSelfie(const std::string& id) {
  kora::idv::v1::UploadSelfieRequest request;
  request.set_verification_id(id);
  request.set_image(Image());
  return {"/kora.idv.v1.BiometricService/UploadSelfie", ToByteBuffer(request)};
}

Request CreateSession(const std::string& id) {
  kora::idv::v1::CreateLivenessSessionRequest request;
  request.set_verification_id(id);
  return {"/kora.idv.v1.LivenessService/CreateLivenessSession", ToByteBuffer(request)};
}

template <kora::idv::v1::LivenessChallengeType kType>
Request SubmitChallenge(const std::string& id) {
  kora::idv::v1::SubmitLivenessChallengeRequest request;
  request.set_verification_id(id);
  request.set_challenge_type(kType);
  request.set_image(Image());
  return {"/kora.idv.v1.LivenessService/SubmitLivenessChallenge", ToByteBuffer(request)};
}

Request Complete(const std::string& id) {
  kora::idv::v1::CompleteVerificationRequest request;
  request.set_verification_id(id);
  return {"/kora.idv.v1.VerificationService/CompleteVerification", ToByteBuffer(request)};
}

// After the creation, in this order. The challenges are those of each session of the sandbox.
using Step = Request (*)(const std::string& verification_id);
constexpr std::array<Step, 7> kSteps = {
    &UploadDocument,
    &UploadSelfie,
    &CreateSession,
    &SubmitChallenge<kora::idv::v1::LIVENESS_CHALLENGE_TYPE_BLINK>,
    &SubmitChallenge<kora::idv::v1::LIVENESS_CHALLENGE_TYPE_TURN_LEFT>,
    &SubmitChallenge<kora::idv::v1::LIVENESS_CHALLENGE_TYPE_TURN_RIGHT>,
    &Complete};

}  // namespace

Onboarding::Onboarding(CallLoop& loop, std::shared_ptr<grpc::Channel> channel,
                       const Asker::Terms& terms, Tally& tally, const std::string& external_id)
    : external_id_(external_id), tally_(tally), asker_(loop, std::move(channel), terms, tally) {}

void Onboarding::Start(Clock::duration after) {
  asker_.Pause(after, [this] { Write(); });
}

void Onboarding::Write() {
  asker_.Ask(step_ == 0 ? Create(external_id_) : kSteps[step_ - 1](verification_id_),
             [this](const grpc::ByteBuffer* message) { OnAnswer(message); });
}

void Onboarding::OnAnswer(const grpc::ByteBuffer* message) {
  if (message == nullptr) return;
  if (step_ == 0) verification_id_ = Parse<kora::idv::v1::Verification>(*message).id();
  if (verification_id_.empty()) return tally_.AddWrongAnswer();
  if (step_ == kSteps.size()) {
    const auto status = Parse<kora::idv::v1::Verification>(*message).status();
    is_through_ = status == kora::idv::v1::VERIFICATION_STATUS_VERIFIED;
    return;
  }
  ++step_;
  Write();
}

}  // namespace idv::bench::storm
