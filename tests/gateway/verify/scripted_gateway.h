#pragma once

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "kora/idv/v1/biometric_service.grpc.pb.h"
#include "kora/idv/v1/document_service.grpc.pb.h"
#include "kora/idv/v1/liveness_service.grpc.pb.h"
#include "kora/idv/v1/reference_service.grpc.pb.h"
#include "kora/idv/v1/verification_service.grpc.pb.h"

namespace idv::verify {

// A gateway that answers as it is told and remembers what it was asked. By default every
// verification is VERIFIED at once, `us_drivers_license` has a back side, liveness has two
// challenges, and frames are taken up to the end of their stream. Tell it before the first call.
class ScriptedGateway {
 public:
  struct Call {
    std::string method;   // as in UploadSelfie
    std::string request;  // in proto's text format
    std::map<std::string, std::string> metadata;
  };

  // Listens on a free port of 127.0.0.1, and at `socket` besides (a gRPC address) if one is given.
  explicit ScriptedGateway(
      std::shared_ptr<grpc::ServerCredentials> credentials = grpc::InsecureServerCredentials(),
      const std::string& socket = "");
  ~ScriptedGateway();

  std::string Address() const { return "127.0.0.1:" + std::to_string(port_); }

  // Ends the method with this status and these trailers.
  void Fail(const std::string& method, grpc::Status status,
            std::map<std::string, std::string> trailers = {});
  // What CompleteVerification answers, and after it GetVerification, one after the other.
  void Decide(std::deque<kora::idv::v1::Verification> answers);
  // What CreateLivenessSession answers.
  void Challenge(const std::vector<kora::idv::v1::LivenessChallenge>& challenges);
  // Ends the stream of frames after so many of them.
  void EndFramesAfter(int frames);
  // Reads no frame, and does not end the stream either.
  void IgnoreFrames();
  // How long every call takes.
  void Delay(std::chrono::milliseconds delay);

  std::vector<Call> Calls() const;
  std::vector<std::string> Methods() const;
  // The messages of the stream of frames.
  std::vector<kora::idv::v1::StreamLivenessFramesRequest> Stream() const;

 private:
  struct Failing {
    grpc::Status status;
    std::map<std::string, std::string> trailers;
  };
  class Verifications;
  class Documents;
  class Biometrics;
  class Liveness;
  class Reference;

  // Remembers the call; what it returns is how the call ends unless it is OK.
  grpc::Status Note(const std::string& method, grpc::ServerContext& context,
                    const google::protobuf::Message& request);
  void NoteStreamed(const kora::idv::v1::StreamLivenessFramesRequest& message);
  kora::idv::v1::Verification NextAnswer();
  kora::idv::v1::LivenessSession Session() const;

  std::atomic<int> frames_wanted_ = std::numeric_limits<int>::max();
  std::atomic<bool> ignores_frames_ = false;

  mutable std::mutex mutex_;
  kora::idv::v1::LivenessSession liveness_;
  std::vector<Call> calls_;
  std::map<std::string, Failing> failing_;
  std::deque<kora::idv::v1::Verification> answers_;
  std::chrono::milliseconds delay_{};
  std::vector<kora::idv::v1::StreamLivenessFramesRequest> stream_;

  std::vector<std::unique_ptr<grpc::Service>> services_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace idv::verify
