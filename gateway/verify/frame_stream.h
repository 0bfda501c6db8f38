#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/support/async_stream.h>

#include <chrono>
#include <memory>

#include "kora/idv/v1/liveness_service.grpc.pb.h"

namespace idv::verify {

// One call of StreamLivenessFrames. Every wait also ends when the gateway ends the call, so that an
// early refusal is known at once: while a message waits for room, and while none is due. Knows
// nothing of what is sent, and when. For one thread. Borrows the context and the result.
class FrameStream {
 public:
  using Clock = std::chrono::steady_clock;
  using Message = kora::idv::v1::StreamLivenessFramesRequest;

  // Starts the call.
  FrameStream(const std::shared_ptr<grpc::Channel>& channel, grpc::ClientContext& context,
              kora::idv::v1::LivenessFramesResult& result);
  // Gives the call up, unless it has ended.
  ~FrameStream();
  FrameStream(const FrameStream&) = delete;
  FrameStream& operator=(const FrameStream&) = delete;

  // Whether the message before has gone, so that the next may follow.
  bool Ready() const { return ready_; }
  // Wants Ready().
  void Send(const Message& message);
  // Wants Ready(). Nothing may follow it.
  void SendLast(const Message& message);

  bool Ended() const { return ended_; }
  // How the call ended. Wants Ended().
  const grpc::Status& Status() const { return status_; }

  // Returns when one of the above may have changed, or at `until`.
  void Wait(Clock::time_point until);

 private:
  void Note(const void* event, bool ok);

  grpc::ClientContext& context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::ClientAsyncWriter<Message>> writer_;
  bool ready_ = false;
  bool ended_ = false;
  grpc::Status status_;
};

}  // namespace idv::verify
