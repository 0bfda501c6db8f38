#include "gateway/verify/steps.h"

#include <absl/strings/str_join.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "gateway/verify/describe.h"
#include "gateway/verify/frame_upload.h"
#include "kora/idv/v1/biometric_service.grpc.pb.h"
#include "kora/idv/v1/document_service.grpc.pb.h"
#include "kora/idv/v1/liveness_service.grpc.pb.h"
#include "kora/idv/v1/reference_service.grpc.pb.h"
#include "kora/idv/v1/verification_service.grpc.pb.h"

namespace idv::verify {
namespace {

namespace v1 = kora::idv::v1;
using nlohmann::json;
using std::chrono::nanoseconds;

constexpr nanoseconds kPollInterval = std::chrono::seconds(1);

// Names the challenge in a message, also one that is newer than the enum.
template <typename Message>
void SetChallenge(const v1::LivenessChallenge& challenge, Message& message) {
  message.set_challenge_type(challenge.type());
  if (challenge.type() == v1::LIVENESS_CHALLENGE_TYPE_UNSPECIFIED) {
    message.set_challenge_type_raw(challenge.type_raw());
  }
}

}  // namespace

ExitCode Steps::Run() {
  const bool complete = Connect() && Create() && LookUpDocumentType() && UploadFront() &&
                        UploadBack() && UploadSelfie() && ShowLiveness() && StreamFrames() &&
                        Complete() && AwaitDecision();
  return complete ? Decide() : ExitCode::kNoDecision;
}

bool Steps::Connect() {
  const auto failure = session_.Connect();
  if (failure) report_.Failed("connect", session_.Elapsed(), session_.Elapsed(), *failure);
  return !failure;
}

bool Steps::Create() {
  v1::CreateVerificationRequest request;
  request.set_external_id(options_.external_id);
  request.set_tier(v1::VERIFICATION_TIER_STANDARD);
  request.set_document_type(options_.document_type);

  auto reply = session_.Call<v1::VerificationService>(
      &v1::VerificationService::Stub::CreateVerification, request);
  if (!Succeeded("create", reply)) return false;
  verification_ = std::move(reply.message);
  auto facts = StatusFacts(verification_);
  facts["verification_id"] = verification_.id();
  facts["external_id"] = options_.external_id;
  Done("create", reply.took, verification_.id() + " " + StatusText(verification_), facts);
  return true;
}

// A type that is not listed may still be known to the upstream; then one side is all we can offer.
bool Steps::LookUpDocumentType() {
  const auto reply = session_.Call<v1::ReferenceService>(
      &v1::ReferenceService::Stub::ListDocumentTypes, v1::ListDocumentTypesRequest());
  if (!Succeeded("document type", reply)) return false;
  const auto& types = reply.message.document_types();
  const auto found = std::find_if(types.begin(), types.end(), [&](const v1::DocumentType& type) {
    return type.type() == options_.document_type;
  });
  const bool listed = found != types.end();
  requires_back_ = listed && found->requires_back();
  Done("document type", reply.took,
       options_.document_type + (listed ? "" : " (not listed)") +
           (requires_back_ ? ", front and back" : ", front only"),
       {{"document_type", options_.document_type},
        {"listed", listed},
        {"requires_back", requires_back_}});
  return true;
}

bool Steps::UploadFront() {
  v1::UploadDocumentRequest request;
  request.set_verification_id(verification_.id());
  request.set_document_type(options_.document_type);
  request.set_image(options_.image);
  request.set_country(options_.country);

  const auto reply =
      session_.Call<v1::DocumentService>(&v1::DocumentService::Stub::UploadDocument, request);
  if (!Succeeded("document", reply)) return false;
  auto facts = json::object();
  const auto text = Described(reply.message, facts);
  Done("document", reply.took, text, facts);
  return true;
}

bool Steps::UploadBack() {
  if (!requires_back_) return true;
  v1::UploadDocumentBackRequest request;
  request.set_verification_id(verification_.id());
  request.set_image(options_.image);

  const auto reply =
      session_.Call<v1::DocumentService>(&v1::DocumentService::Stub::UploadDocumentBack, request);
  if (!Succeeded("document back", reply)) return false;
  auto facts = json::object();
  const auto text = Described(reply.message, facts);
  Done("document back", reply.took, text, facts);
  return true;
}

bool Steps::UploadSelfie() {
  v1::UploadSelfieRequest request;
  request.set_verification_id(verification_.id());
  request.set_image(options_.image);

  const auto reply =
      session_.Call<v1::BiometricService>(&v1::BiometricService::Stub::UploadSelfie, request);
  if (!Succeeded("selfie", reply)) return false;
  auto facts = json::object();
  const auto text = Described(reply.message, facts);
  Done("selfie", reply.took, text, facts);
  return true;
}

bool Steps::ShowLiveness() {
  v1::CreateLivenessSessionRequest request;
  request.set_verification_id(verification_.id());
  auto reply = session_.Call<v1::LivenessService>(&v1::LivenessService::Stub::CreateLivenessSession,
                                                  request);
  if (!Succeeded("liveness", reply)) return false;
  liveness_ = std::move(reply.message);

  std::vector<std::string> names;
  for (const auto& challenge : liveness_.challenges()) {
    names.push_back(ChallengeName(challenge.type(), challenge.type_raw()));
  }
  Done("liveness", reply.took, names.empty() ? "no challenges" : absl::StrJoin(names, ", "),
       {{"challenges", names}});
  return std::all_of(liveness_.challenges().begin(), liveness_.challenges().end(),
                     [this](const v1::LivenessChallenge& challenge) { return Submit(challenge); });
}

bool Steps::Submit(const v1::LivenessChallenge& challenge) {
  v1::SubmitLivenessChallengeRequest request;
  request.set_verification_id(verification_.id());
  SetChallenge(challenge, request);
  request.set_image(options_.image);

  const auto reply = session_.Call<v1::LivenessService>(
      &v1::LivenessService::Stub::SubmitLivenessChallenge, request);
  if (!Succeeded("challenge", reply)) return false;
  const auto name = ChallengeName(challenge.type(), challenge.type_raw());
  json facts{{"challenge", name}};
  const auto text = Described(reply.message, facts);
  Done("challenge", reply.took, name + " " + text, facts);
  return true;
}

// They show the first challenge, or no particular one where there is none.
bool Steps::StreamFrames() {
  const auto& plan = options_.frames;
  if (plan.count == 0) return true;
  v1::LivenessFramesHeader header;
  header.set_verification_id(verification_.id());
  std::string name;
  if (liveness_.challenges_size() > 0) {
    const auto& challenge = liveness_.challenges(0);
    SetChallenge(challenge, header);
    name = ChallengeName(challenge.type(), challenge.type_raw());
  }

  FrameUpload upload(plan, options_.image, report_);
  auto reply = session_.Converse<v1::LivenessFramesResult>(
      [&](const auto& channel, auto& context, auto& result) {
        return upload.Run(channel, context, header, result);
      });
  if (reply.failure) reply.failure->frames_sent = upload.Sent();
  if (!Succeeded("liveness frames", reply)) return false;
  auto facts = FramesFacts(upload.Sent(), plan);
  if (!name.empty()) facts["challenge"] = name;
  const auto text = Described(reply.message, facts);
  Done("liveness frames", reply.took,
       FramesText(upload.Sent(), plan) + (name.empty() ? "" : " of " + name) + ", " + text, facts);
  return true;
}

bool Steps::Complete() {
  v1::CompleteVerificationRequest request;
  request.set_verification_id(verification_.id());
  return Follow("complete", session_.Call<v1::VerificationService>(
                                &v1::VerificationService::Stub::CompleteVerification, request));
}

bool Steps::AwaitDecision() {
  v1::GetVerificationRequest request;
  request.set_verification_id(verification_.id());
  while (verification_.status() == v1::VERIFICATION_STATUS_PROCESSING) {
    std::this_thread::sleep_for(std::min(kPollInterval, session_.Remaining()));
    if (session_.Remaining() <= nanoseconds::zero()) {
      report_.Failed("poll", {}, session_.Elapsed(),
                     session_.OutOfTime("the verification was still PROCESSING"));
      return false;
    }
    if (!Follow("poll", session_.Call<v1::VerificationService>(
                            &v1::VerificationService::Stub::GetVerification, request))) {
      return false;
    }
  }
  return true;
}

// Takes the verification as it stands now.
bool Steps::Follow(const std::string& step, Reply<v1::Verification> reply) {
  if (!Succeeded(step, reply)) return false;
  verification_ = std::move(reply.message);
  Done(step, reply.took, StatusText(verification_), StatusFacts(verification_));
  return true;
}

template <typename Message>
bool Steps::Succeeded(const std::string& step, const Reply<Message>& reply) {
  if (reply.failure) report_.Failed(step, reply.took, session_.Elapsed(), *reply.failure);
  return !reply.failure;
}

void Steps::Done(const std::string& step, std::chrono::milliseconds took, const std::string& text,
                 json facts) {
  report_.Done({step, took, text, std::move(facts)});
}

ExitCode Steps::Decide() {
  Decision decision;
  decision.status = StatusName(verification_);
  decision.verified = verification_.status() == v1::VERIFICATION_STATUS_VERIFIED;
  decision.verification_id = verification_.id();
  decision.decision = DecisionName(verification_);
  decision.overall_score = OverallScore(verification_);
  decision.codes = {verification_.decision_codes().begin(), verification_.decision_codes().end()};
  decision.took = session_.Elapsed();
  report_.Decided(decision);
  return decision.verified ? ExitCode::kVerified : ExitCode::kOtherDecision;
}

}  // namespace idv::verify
