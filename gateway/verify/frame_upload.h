#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <memory>
#include <string>

#include "gateway/verify/frame_plan.h"
#include "gateway/verify/frame_stream.h"
#include "gateway/verify/report.h"

namespace idv::verify {

// Streams the frames of a plan in one call, at their pace: the header, the frames, the end mark.
// Tells the report how far it is. Runs once. Borrows everything.
class FrameUpload {
 public:
  FrameUpload(const FramePlan& plan, const std::string& picture, Report& report)
      : plan_(plan), picture_(picture), report_(report) {}

  // `header` names the verification and the challenge. Returns how the call ended, as soon as it
  // has: that may be before all was sent, and with OK, too.
  grpc::Status Run(const std::shared_ptr<grpc::Channel>& channel, grpc::ClientContext& context,
                   kora::idv::v1::LivenessFramesHeader header,
                   kora::idv::v1::LivenessFramesResult& result);

  // How many frames have gone.
  int Sent() const { return sent_; }

 private:
  using Clock = FrameStream::Clock;

  // Each: whether the call goes on.
  bool SendHeader(FrameStream& stream, kora::idv::v1::LivenessFramesHeader header) const;
  bool SendFrames(FrameStream& stream);
  bool Await(FrameStream& stream, Clock::time_point due) const;

  void AwaitEnd(FrameStream& stream) const;
  void Pause(FrameStream& stream, Clock::time_point until) const;

  const FramePlan& plan_;
  const std::string& picture_;
  Report& report_;
  const Clock::time_point start_ = Clock::now();
  int sent_ = 0;
};

}  // namespace idv::verify
