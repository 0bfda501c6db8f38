#include "tests/e2e/frame_call.h"

#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "tests/e2e/steps.h"

namespace idv::e2e {

using kora::idv::v1::LivenessService;
using kora::idv::v1::StreamLivenessFramesRequest;

FrameCall::FrameCall(const Client& client, const CallOptions& options) : stub_(client.channel()) {
  Prepare(options, context_);
  writer_ = stub_.StreamLivenessFrames(&context_, &response_);
}

FrameCall::~FrameCall() {
  if (has_finished_) return;
  Cancel();
  Finish();
}

bool FrameCall::Send(const StreamLivenessFramesRequest& message) { return writer_->Write(message); }

bool FrameCall::SendHeader(const std::string& verification_id) {
  StreamLivenessFramesRequest message;
  message.mutable_header()->set_verification_id(verification_id);
  return Send(message);
}

bool FrameCall::SendFrame(const std::string& image,
                          std::optional<std::chrono::microseconds> capture_offset) {
  StreamLivenessFramesRequest message;
  message.mutable_frame()->set_image(image);
  if (capture_offset) {
    *message.mutable_frame()->mutable_capture_offset() =
        google::protobuf::util::TimeUtil::MicrosecondsToDuration(capture_offset->count());
  }
  return Send(message);
}

bool FrameCall::SendEndMark(int frame_count) {
  StreamLivenessFramesRequest message;
  message.mutable_end()->set_frame_count(frame_count);
  return Send(message);
}

Reply<kora::idv::v1::LivenessFramesResult> FrameCall::Finish() {
  has_finished_ = true;
  const grpc::Status status = writer_->Finish();
  return {Outcome::Of(status, context_), std::move(response_)};
}

std::unique_ptr<Process> RunFrameClient(const std::string& address,
                                        const std::string& verification_id, int frames,
                                        size_t frame_bytes) {
  return std::make_unique<Process>(
      IDV_FRAME_CLIENT_PATH,
      std::vector<std::string>{address, verification_id, std::to_string(frames),
                               std::to_string(frame_bytes)});
}

std::string CreateWithSession(const Client& client, const std::string& external_id) {
  std::string id = Create(client, external_id).id();
  kora::idv::v1::CreateLivenessSessionRequest request;
  request.set_verification_id(id);
  const auto reply = client.Call(&LivenessService::Stub::CreateLivenessSession, request);
  EXPECT_TRUE(reply.ok()) << testing::PrintToString(reply);
  return id;
}

}  // namespace idv::e2e
