#pragma once

#include <string>

#include "gateway/verify/options.h"
#include "gateway/verify/report.h"
#include "gateway/verify/session.h"
#include "kora/idv/v1/liveness.pb.h"
#include "kora/idv/v1/verification.pb.h"

namespace idv::verify {

// What a shell is told.
enum class ExitCode { kVerified = 0, kOtherDecision = 1, kNoDecision = 2 };

// The steps of one verification, in the order the upstream wants them. Runs once.
// Borrows everything.
class Steps {
 public:
  Steps(const Options& options, const Session& session, Report& report)
      : options_(options), session_(session), report_(report) {}

  // Goes through all steps, or up to the first that fails, and tells the report of each.
  ExitCode Run();

 private:
  // Each step: whether it succeeded. If not, the report knows.
  bool Connect();
  bool Create();
  bool LookUpDocumentType();
  bool UploadFront();
  bool UploadBack();
  bool UploadSelfie();
  bool ShowLiveness();
  bool Submit(const kora::idv::v1::LivenessChallenge& challenge);
  bool StreamFrames();
  bool Complete();
  bool AwaitDecision();

  bool Follow(const std::string& step, Reply<kora::idv::v1::Verification> reply);
  template <typename Message>
  bool Succeeded(const std::string& step, const Reply<Message>& reply);
  void Done(const std::string& step, std::chrono::milliseconds took, const std::string& text,
            nlohmann::json facts);
  ExitCode Decide();

  const Options& options_;
  const Session& session_;
  Report& report_;
  bool requires_back_ = false;
  kora::idv::v1::LivenessSession liveness_;
  kora::idv::v1::Verification verification_;  // as the gateway sent it last
};

}  // namespace idv::verify
