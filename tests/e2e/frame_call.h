#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "kora/idv/v1/liveness_service.grpc.pb.h"
#include "tests/e2e/call.h"
#include "tests/e2e/process.h"

namespace idv::e2e {

// A call of StreamLivenessFrames that a test sends step by step.
class FrameCall {
 public:
  explicit FrameCall(const Client& client, const CallOptions& options = {});
  // Cancels it if it is still under way.
  ~FrameCall();
  FrameCall(const FrameCall&) = delete;
  FrameCall& operator=(const FrameCall&) = delete;

  // Each waits while the gateway takes no more, and is false if the call has ended meanwhile.
  bool Send(const kora::idv::v1::StreamLivenessFramesRequest& message);
  bool SendHeader(const std::string& verification_id);
  bool SendFrame(const std::string& image,
                 std::optional<std::chrono::microseconds> capture_offset = {});
  bool SendEndMark(int frame_count);

  // The caller has sent everything.
  void Close() { writer_->WritesDone(); }
  void Cancel() { context_.TryCancel(); }
  // Once.
  Reply<kora::idv::v1::LivenessFramesResult> Finish();

 private:
  grpc::ClientContext context_;
  kora::idv::v1::LivenessService::Stub stub_;
  kora::idv::v1::LivenessFramesResult response_;
  std::unique_ptr<grpc::ClientWriter<kora::idv::v1::StreamLivenessFramesRequest>> writer_;
  bool has_finished_ = false;
};

// A caller in a process of its own, that opens the call, sends the header if there is an id, and so
// many frames, prints "sent" when all of it was taken, and never ends.
std::unique_ptr<Process> RunFrameClient(const std::string& address,
                                        const std::string& verification_id, int frames,
                                        size_t frame_bytes);

// A new verification that has a liveness session; its id.
std::string CreateWithSession(const Client& client, const std::string& external_id);

}  // namespace idv::e2e
