#include "tests/gateway/verify/scripted_gateway.h"

#include <grpcpp/server_builder.h>

#include <algorithm>
#include <iterator>
#include <thread>
#include <utility>

namespace idv::verify {

namespace v1 = kora::idv::v1;
using grpc::ServerContext;
using grpc::Status;

class ScriptedGateway::Verifications final : public v1::VerificationService::Service {
 public:
  explicit Verifications(ScriptedGateway& gateway) : gateway_(gateway) {}

  Status CreateVerification(ServerContext* context, const v1::CreateVerificationRequest* request,
                            v1::Verification* reply) override {
    reply->set_id("ver-1");
    reply->set_status(v1::VERIFICATION_STATUS_PENDING);
    return gateway_.Note("CreateVerification", *context, *request);
  }
  Status CompleteVerification(ServerContext* context,
                              const v1::CompleteVerificationRequest* request,
                              v1::Verification* reply) override {
    *reply = gateway_.NextAnswer();
    return gateway_.Note("CompleteVerification", *context, *request);
  }
  Status GetVerification(ServerContext* context, const v1::GetVerificationRequest* request,
                         v1::Verification* reply) override {
    *reply = gateway_.NextAnswer();
    return gateway_.Note("GetVerification", *context, *request);
  }

 private:
  ScriptedGateway& gateway_;
};

class ScriptedGateway::Documents final : public v1::DocumentService::Service {
 public:
  explicit Documents(ScriptedGateway& gateway) : gateway_(gateway) {}

  Status UploadDocument(ServerContext* context, const v1::UploadDocumentRequest* request,
                        v1::DocumentResult* reply) override {
    reply->set_quality_score(92);
    return gateway_.Note("UploadDocument", *context, *request);
  }
  Status UploadDocumentBack(ServerContext* context, const v1::UploadDocumentBackRequest* request,
                            v1::DocumentResult* reply) override {
    reply->set_quality_score(91);
    reply->add_warnings("slight_blur");
    return gateway_.Note("UploadDocumentBack", *context, *request);
  }

 private:
  ScriptedGateway& gateway_;
};

class ScriptedGateway::Biometrics final : public v1::BiometricService::Service {
 public:
  explicit Biometrics(ScriptedGateway& gateway) : gateway_(gateway) {}

  Status UploadSelfie(ServerContext* context, const v1::UploadSelfieRequest* request,
                      v1::SelfieResult* reply) override {
    reply->set_face_detected(true);
    reply->mutable_face_match()->set_score(80.1);
    return gateway_.Note("UploadSelfie", *context, *request);
  }

 private:
  ScriptedGateway& gateway_;
};

class ScriptedGateway::Liveness final : public v1::LivenessService::Service {
 public:
  explicit Liveness(ScriptedGateway& gateway) : gateway_(gateway) {}

  Status CreateLivenessSession(ServerContext* context,
                               const v1::CreateLivenessSessionRequest* request,
                               v1::LivenessSession* reply) override {
    *reply = gateway_.Session();
    return gateway_.Note("CreateLivenessSession", *context, *request);
  }
  Status SubmitLivenessChallenge(ServerContext* context,
                                 const v1::SubmitLivenessChallengeRequest* request,
                                 v1::LivenessChallengeResult* reply) override {
    reply->set_completed(true);
    reply->set_score(75);
    return gateway_.Note("SubmitLivenessChallenge", *context, *request);
  }
  Status StreamLivenessFrames(ServerContext* context,
                              grpc::ServerReader<v1::StreamLivenessFramesRequest>* reader,
                              v1::LivenessFramesResult* reply) override {
    while (gateway_.ignores_frames_ && !context->IsCancelled()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    v1::StreamLivenessFramesRequest message;
    v1::StreamLivenessFramesRequest header;
    for (int messages = 0; messages <= gateway_.frames_wanted_ && reader->Read(&message);
         ++messages) {
      if (messages == 0) header = message;
      gateway_.NoteStreamed(message);
    }
    reply->set_completed(true);
    reply->set_score(88);
    reply->mutable_anti_spoof_result()->set_spoof_detected(false);
    return gateway_.Note("StreamLivenessFrames", *context, header);
  }

 private:
  ScriptedGateway& gateway_;
};

class ScriptedGateway::Reference final : public v1::ReferenceService::Service {
 public:
  explicit Reference(ScriptedGateway& gateway) : gateway_(gateway) {}

  Status ListDocumentTypes(ServerContext* context, const v1::ListDocumentTypesRequest* request,
                           v1::ListDocumentTypesResponse* reply) override {
    auto* passport = reply->add_document_types();
    passport->set_type("international_passport");
    passport->set_requires_back(false);
    auto* license = reply->add_document_types();
    license->set_type("us_drivers_license");
    license->set_requires_back(true);
    return gateway_.Note("ListDocumentTypes", *context, *request);
  }

 private:
  ScriptedGateway& gateway_;
};

ScriptedGateway::ScriptedGateway(std::shared_ptr<grpc::ServerCredentials> credentials,
                                 const std::string& socket) {
  liveness_.add_challenges()->set_type(v1::LIVENESS_CHALLENGE_TYPE_BLINK);
  liveness_.add_challenges()->set_type_raw("wink");  // newer than the enum
  services_.push_back(std::make_unique<Verifications>(*this));
  services_.push_back(std::make_unique<Documents>(*this));
  services_.push_back(std::make_unique<Biometrics>(*this));
  services_.push_back(std::make_unique<Liveness>(*this));
  services_.push_back(std::make_unique<Reference>(*this));
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", std::move(credentials), &port_);
  if (!socket.empty()) builder.AddListeningPort(socket, grpc::InsecureServerCredentials());
  for (const auto& service : services_) builder.RegisterService(service.get());
  server_ = builder.BuildAndStart();
}

ScriptedGateway::~ScriptedGateway() { server_->Shutdown(); }

void ScriptedGateway::Fail(const std::string& method, Status status,
                           std::map<std::string, std::string> trailers) {
  const std::lock_guard lock(mutex_);
  failing_[method] = {std::move(status), std::move(trailers)};
}

void ScriptedGateway::Decide(std::deque<v1::Verification> answers) {
  const std::lock_guard lock(mutex_);
  answers_ = std::move(answers);
}

std::vector<ScriptedGateway::Call> ScriptedGateway::Calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

std::vector<std::string> ScriptedGateway::Methods() const {
  std::vector<std::string> methods;
  for (const auto& call : Calls()) methods.push_back(call.method);
  return methods;
}

std::vector<v1::StreamLivenessFramesRequest> ScriptedGateway::Stream() const {
  const std::lock_guard lock(mutex_);
  return stream_;
}

void ScriptedGateway::Challenge(const std::vector<v1::LivenessChallenge>& challenges) {
  const std::lock_guard lock(mutex_);
  *liveness_.mutable_challenges() = {challenges.begin(), challenges.end()};
}

void ScriptedGateway::EndFramesAfter(int frames) { frames_wanted_ = frames; }

void ScriptedGateway::IgnoreFrames() { ignores_frames_ = true; }

void ScriptedGateway::Delay(std::chrono::milliseconds delay) {
  const std::lock_guard lock(mutex_);
  delay_ = delay;
}

Status ScriptedGateway::Note(const std::string& method, ServerContext& context,
                             const google::protobuf::Message& request) {
  std::unique_lock lock(mutex_);
  const std::chrono::milliseconds delay = delay_;
  lock.unlock();
  std::this_thread::sleep_for(delay);
  lock.lock();
  Call call{method, request.DebugString(), {}};
  for (const auto& [name, value] : context.client_metadata()) {
    call.metadata.emplace(std::string(name.data(), name.size()),
                          std::string(value.data(), value.size()));
  }
  calls_.push_back(std::move(call));
  const auto failing = failing_.find(method);
  if (failing == failing_.end()) return Status::OK;
  for (const auto& [name, value] : failing->second.trailers) {
    context.AddTrailingMetadata(name, value);
  }
  return failing->second.status;
}

void ScriptedGateway::NoteStreamed(const v1::StreamLivenessFramesRequest& message) {
  const std::lock_guard lock(mutex_);
  stream_.push_back(message);
}

v1::LivenessSession ScriptedGateway::Session() const {
  const std::lock_guard lock(mutex_);
  return liveness_;
}

v1::Verification ScriptedGateway::NextAnswer() {
  const std::lock_guard lock(mutex_);
  v1::Verification answer;
  answer.set_id("ver-1");
  answer.set_status(v1::VERIFICATION_STATUS_VERIFIED);
  answer.set_decision_raw("auto_approve");
  answer.set_overall_score(96.3);
  if (answers_.empty()) return answer;
  answer = answers_.front();
  answers_.pop_front();
  return answer;
}

}  // namespace idv::verify
