// Calls idv-gateway as a service would: all that a caller needs, in the order of a day at work. It
// prints one line for each step, which tests/clients/run.py compares with
// tests/clients/expected.txt.

#include <google/protobuf/util/time_util.h>

#include <chrono>
#include <iomanip>
#include <iostream>
#include <memory>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "call.h"
#include "channel.h"
#include "kora/idv/v1/biometric_service.grpc.pb.h"
#include "kora/idv/v1/document_service.grpc.pb.h"
#include "kora/idv/v1/fraud_alert_service.grpc.pb.h"
#include "kora/idv/v1/liveness_service.grpc.pb.h"
#include "kora/idv/v1/verification_service.grpc.pb.h"

namespace {

namespace v1 = kora::idv::v1;
using google::protobuf::util::TimeUtil;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kFrames = 300;
constexpr std::size_t kFrameBytes = 20 << 10;
constexpr int kFramesPerSecond = 30;

// Begins as a JPEG does; the sandbox looks no closer.
std::string Picture(std::size_t bytes = 1000) {
  std::string picture = "\xff\xd8\xff\xe0";
  picture.resize(bytes);
  return picture;
}

std::string RandomId() {
  std::random_device random;
  std::ostringstream id;
  id << std::hex << std::setfill('0') << std::setw(8) << random() << std::setw(8) << random();
  return id.str();
}

// An enum value's name as the vendor's documentation has it, without the prefix that protobuf asks
// for. A value that is newer than these stubs has none.
std::string Bare(const std::string& name, std::string_view prefix) {
  return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
}

std::string StatusName(const v1::Verification& answer) {
  return Bare(v1::VerificationStatus_Name(answer.status()), "VERIFICATION_STATUS_");
}

std::string DecisionName(const v1::Verification& answer) {
  return Bare(v1::VerificationDecision_Name(answer.decision()), "VERIFICATION_DECISION_");
}

std::string CodeReasonBlame(const CallFailed& failure) {
  const auto& metadata = failure.info.metadata();
  const auto blame = metadata.find("blame");
  return failure.Code() + " " + failure.info.reason() + ", blame " +
         (blame == metadata.end() ? "" : blame->second);
}

// Of a call that is to fail.
template <typename Function>
CallFailed FailureOf(Function call) {
  try {
    call();
  } catch (const CallFailed& failure) {
    return failure;
  }
  throw std::runtime_error("a call that should fail did not");
}

class Client {
 public:
  explicit Client(const std::shared_ptr<grpc::Channel>& channel)
      : verifications_(channel),
        documents_(channel),
        biometrics_(channel),
        liveness_(channel),
        alerts_(channel) {}

  std::string Approve() {
    const auto answer = Verify("approve");
    return StatusName(answer) + " " + DecisionName(answer);
  }

  std::string Reject() {
    const auto answer = Verify("reject");
    auto line = StatusName(answer) + " " + DecisionName(answer);
    for (const auto& code : answer.decision_codes()) line += " " + code;
    return line;
  }

  std::string Review() {
    const auto before = Verify("review");
    v1::ReviewVerificationRequest request;
    request.set_verification_id(before.id());
    request.set_reviewer_id("reviewer-1");
    request.set_decision(v1::REVIEW_DECISION_APPROVE);
    const auto after =
        Call(verifications_, &v1::VerificationService::Stub::ReviewVerification, request);
    return StatusName(before) + ", then " + StatusName(after) + " " + DecisionName(after);
  }

  std::string Fraud() {
    const auto answer = Verify("fraud");
    v1::ListFraudAlertsRequest open;
    open.set_status(v1::FRAUD_ALERT_STATUS_OPEN);
    const auto list = Call(alerts_, &v1::FraudAlertService::Stub::ListFraudAlerts, open);
    std::vector<v1::FraudAlert> alerts;
    for (const auto& alert : list.alerts()) {
      if (alert.verification_id() == answer.id()) alerts.push_back(alert);
    }
    if (alerts.empty()) throw std::runtime_error("no open alert of the verification");
    const auto& alert = alerts[0];

    v1::ResolveFraudAlertRequest request;
    request.set_alert_id(alert.id());
    request.set_reviewer_id("reviewer-1");
    request.set_status(v1::FRAUD_ALERT_STATUS_CONFIRMED);
    const auto resolved = Call(alerts_, &v1::FraudAlertService::Stub::ResolveFraudAlert, request);
    return StatusName(answer) + ", " + std::to_string(alerts.size()) +
           " open alert: " + alert.alert_type() + " " +
           Bare(v1::Severity_Name(alert.severity()), "SEVERITY_") + ", then " +
           Bare(v1::FraudAlertStatus_Name(resolved.status()), "FRAUD_ALERT_STATUS_");
  }

  std::string Validation() {
    const auto id = Create("approve");
    const auto failure = FailureOf([&] { UploadDocument(id, "Germany"); });
    auto line = CodeReasonBlame(failure) + ", field";
    for (const auto& violation : failure.bad_request.field_violations()) {
      line += " " + violation.field();
    }
    return line;
  }

  std::string NotFound() {
    return CodeReasonBlame(FailureOf([&] { Get("verification-" + RandomId()); }));
  }

  // A tenant with an allowance of one request a minute: the second is not even tried, and told when
  // to come back.
  std::string RateLimited() {
    Create("approve", "small");
    const auto failure = FailureOf([&] { Create("approve", "small"); });
    const auto wait = TimeUtil::DurationToSeconds(failure.retry.retry_delay());
    return CodeReasonBlame(failure) + ", retry after " +
           (wait >= 1 && wait <= 60 ? "1 to 60" : std::to_string(wait)) + " s";
  }

  // The first answer is UNAVAILABLE. That it is asked again is the service config's doing, see
  // MakeChannel().
  std::string Retried() { return StatusName(Get(Create("retried"))); }

  std::string Deadline() {
    const auto id = Create("late");
    CallContext context(milliseconds(300));
    return FailureOf([&] { Get(id, context); }).Code();
  }

  std::string Cancel() {
    const auto id = Create("hung");
    CallContext context;
    const std::jthread impatient([&] {
      std::this_thread::sleep_for(milliseconds(200));
      context.TryCancel();  // which any thread may do at any time
    });
    return FailureOf([&] { Get(id, context); }).Code();
  }

  // Frames of a camera. Write() returns when gRPC has taken the message, which it does no faster
  // than the gateway takes them; with false when the call has ended, as by the gateway's refusal.
  std::string Frames() {
    const auto id = Create("frames");
    const auto challenge = StartLiveness(id).challenges().at(0);
    v1::LivenessFramesResult result;
    CallContext context(seconds(60));
    const auto writer = liveness_.StreamLivenessFrames(&context, &result);
    v1::StreamLivenessFramesRequest message;
    message.mutable_header()->set_verification_id(id);
    message.mutable_header()->set_challenge_type(challenge.type());
    message.mutable_header()->set_frames_per_second(kFramesPerSecond);
    bool goes_on = writer->Write(message);
    int sent = 0;
    while (goes_on && sent < kFrames) {
      auto& frame = *message.mutable_frame();
      frame.set_image(Picture(kFrameBytes));
      *frame.mutable_capture_offset() =
          TimeUtil::MillisecondsToDuration(sent * 1000 / kFramesPerSecond);
      goes_on = writer->Write(message);
      if (goes_on) ++sent;
    }
    message.mutable_end()->set_frame_count(sent);
    if (goes_on) writer->WriteLast(message, {});
    const auto status = writer->Finish();  // waits for the answer, or says why the call has ended
    if (!status.ok()) throw CallFailed(status);

    std::ostringstream line;
    line << sent << " sent, "
         << Bare(v1::LivenessChallengeType_Name(result.type()), "LIVENESS_CHALLENGE_TYPE_")
         << (result.completed() ? " completed " : " not completed ") << std::fixed
         << std::setprecision(1) << result.score();
    return line.str();
  }

 private:
  // Of a new subject. In the sandbox the beginning of its id decides what becomes of it.
  std::string Create(const std::string& kind, const std::string& tenant = "acme") {
    v1::CreateVerificationRequest request;
    request.set_external_id("test-" + kind + "-" + RandomId());
    CallContext context(seconds(15), tenant);
    return Call(verifications_, &v1::VerificationService::Stub::CreateVerification, request,
                context)
        .id();
  }

  v1::Verification Get(const std::string& id, CallContext& context) {
    v1::GetVerificationRequest request;
    request.set_verification_id(id);
    return Call(verifications_, &v1::VerificationService::Stub::GetVerification, request, context);
  }

  v1::Verification Get(const std::string& id) {
    CallContext context;
    return Get(id, context);
  }

  void UploadDocument(const std::string& id, const std::string& country) {
    v1::UploadDocumentRequest request;
    request.set_verification_id(id);
    request.set_document_type("passport");
    request.set_image(Picture());
    request.set_country(country);
    Call(documents_, &v1::DocumentService::Stub::UploadDocument, request);
  }

  void UploadSelfie(const std::string& id) {
    v1::UploadSelfieRequest request;
    request.set_verification_id(id);
    request.set_image(Picture());
    Call(biometrics_, &v1::BiometricService::Stub::UploadSelfie, request);
  }

  v1::LivenessSession StartLiveness(const std::string& id) {
    v1::CreateLivenessSessionRequest request;
    request.set_verification_id(id);
    return Call(liveness_, &v1::LivenessService::Stub::CreateLivenessSession, request);
  }

  void SubmitChallenge(const std::string& id, const v1::LivenessChallenge& challenge) {
    v1::SubmitLivenessChallengeRequest request;
    request.set_verification_id(id);
    request.set_challenge_type(challenge.type());
    // Sent for a challenge that is newer than these stubs.
    request.set_challenge_type_raw(challenge.type_raw());
    request.set_image(Picture());
    Call(liveness_, &v1::LivenessService::Stub::SubmitLivenessChallenge, request);
  }

  // A whole verification, until it is decided. Its calls come one after the other: the vendor wants
  // it so.
  v1::Verification Verify(const std::string& kind) {
    const auto id = Create(kind);
    UploadDocument(id, "DE");
    UploadSelfie(id);
    const auto session = StartLiveness(id);
    for (const auto& challenge : session.challenges()) SubmitChallenge(id, challenge);
    v1::CompleteVerificationRequest request;
    request.set_verification_id(id);
    auto answer =
        Call(verifications_, &v1::VerificationService::Stub::CompleteVerification, request);
    while (answer.status() == v1::VERIFICATION_STATUS_PROCESSING) {
      std::this_thread::sleep_for(seconds(1));
      answer = Get(id);
    }
    return answer;
  }

  // Cheap, and safe to share between threads, as the one channel below them is.
  v1::VerificationService::Stub verifications_;
  v1::DocumentService::Stub documents_;
  v1::BiometricService::Stub biometrics_;
  v1::LivenessService::Stub liveness_;
  v1::FraudAlertService::Stub alerts_;
};

constexpr std::pair<const char*, std::string (Client::*)()> kSteps[] = {
    {"approve", &Client::Approve},
    {"reject", &Client::Reject},
    {"review", &Client::Review},
    {"fraud", &Client::Fraud},
    {"validation", &Client::Validation},
    {"not found", &Client::NotFound},
    {"rate limited", &Client::RateLimited},
    {"retried", &Client::Retried},
    {"deadline", &Client::Deadline},
    {"cancel", &Client::Cancel},
    {"frames", &Client::Frames},
};

}  // namespace

int main(int argc, char** argv) {
  std::string at = "idv-client-cpp";
  try {
    Client client(MakeChannel(ReadOptions(argc, argv)));
    for (const auto& [name, step] : kSteps) {
      at = name;
      const auto line = (client.*step)();
      std::cout << name << ": " << line << std::endl;
    }
    return 0;
  } catch (const CallFailed& failed) {
    const auto& reason = failed.info.reason();
    std::cerr << at << ": " << failed.Code() << (reason.empty() ? "" : " ") << reason << ": "
              << failed.what() << "\n";
  } catch (const std::exception& error) {
    std::cerr << at << ": " << error.what() << "\n";
  }
  return 1;
}
