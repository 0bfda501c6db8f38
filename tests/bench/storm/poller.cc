#include "tests/bench/storm/poller.h"

#include <utility>

#include "kora/idv/v1/reference_service.pb.h"
#include "kora/idv/v1/verification_service.pb.h"
#include "tests/bench/storm/message.h"

namespace idv::bench::storm {
namespace {

constexpr auto kPause = std::chrono::seconds(1);
constexpr size_t kCircle = 5;

Request GetVerification(const std::string& id) {
  kora::idv::v1::GetVerificationRequest request;
  request.set_verification_id(id);
  return {"/kora.idv.v1.VerificationService/GetVerification", ToByteBuffer(request)};
}

Request ListDocumentTypes() {
  return {"/kora.idv.v1.ReferenceService/ListDocumentTypes",
          ToByteBuffer(kora::idv::v1::ListDocumentTypesRequest())};
}

}  // namespace

Poller::Poller(CallLoop& loop, std::shared_ptr<grpc::Channel> channel, const Asker::Terms& terms,
               Tally& tally, const std::string& verification_id, size_t place)
    : verification_id_(verification_id),
      verification_request_(GetVerification(verification_id)),
      types_request_(ListDocumentTypes()),
      round_(place),
      tally_(tally),
      asker_(loop, std::move(channel), terms, tally) {}

void Poller::Start(Clock::duration after) {
  asker_.Pause(after, [this] { Poll(); });
}

void Poller::Poll() {
  const bool asks_for_types = ++round_ % kCircle == 0;
  asker_.Ask(asks_for_types ? types_request_ : verification_request_,
             [this](const grpc::ByteBuffer* message) { OnAnswer(message); });
}

void Poller::OnAnswer(const grpc::ByteBuffer* message) {
  const bool is_verification = round_ % kCircle != 0;
  if (message != nullptr && is_verification &&
      Parse<kora::idv::v1::Verification>(*message).id() != verification_id_) {
    tally_.AddWrongAnswer();
  }
  asker_.Pause(kPause, [this] { Poll(); });
}

}  // namespace idv::bench::storm
