#pragma once

#include <absl/status/status.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/admission.h"
#include "gateway/image_message.h"
#include "gateway/message_reader.h"
#include "gateway/propagation.h"
#include "gateway/raw_service.h"
#include "gateway/shard.h"
#include "kora/idv/v1/liveness_service.pb.h"
#include "upstream/frames_writer.h"
#include "upstream/loop/event.h"
#include "upstream/loop/task.h"
#include "upstream/streamed_body.h"
#include "upstream/upstream.h"

namespace idv {

// One call of StreamLivenessFrames: a header, frames, and an end mark if the caller likes. It opens
// the upstream's request when the header is there, and writes one JSON body while the frames come:
// each is read from the caller when the one before has gone to the upstream, so that a slow
// upstream slows the caller and one frame is all that is held. What the caller does not finish, by
// closing its side of the call, never ends as a complete request. For the shard's thread.
class FrameStream {
 public:
  struct Options {
    FrameKeys keys;
    // The body is sent when all of it is there, with a Content-Length: for an upstream that takes
    // no chunked bodies. All of it is held then.
    bool buffered = false;
    // Of one message, its image apart.
    size_t max_message_bytes = 0;
    // Of one image.
    size_t max_frame_bytes = 0;
    int max_frames = 0;
    // Of the JSON body.
    size_t max_stream_bytes = 0;
    // For the next message of the caller.
    std::chrono::milliseconds idle{};
    // For the upstream to take something more of a frame.
    std::chrono::milliseconds upstream_stall{};
  };

  // Whose the stream is, for how long, and where what becomes of it is put. All borrowed.
  struct Order {
    const Route& route;
    const Sender* sender;
    TimePoint deadline;
    // Is told how much is held.
    Admission::Ticket& ticket;
    // The answer's message.
    std::string& out;
    CallReport& report;
    // Null: the upstream is told nothing of the call.
    const Propagation* propagation = nullptr;
    // Told of each frame that is sent on, and its image's size.
    std::function<void(size_t bytes)> on_frame;
  };

  // Of the caller, so far.
  struct Received {
    uint64_t messages = 0;
    uint64_t bytes = 0;
  };

  // Borrows all of them.
  FrameStream(Shard& shard, RawService::UploadReader& reader, Cancellation& cancellation,
              const FramesFormat& format, const Options& options);

  // What a stream takes up of the memory for uploads from its beginning, with what gRPC and libcurl
  // hold of it.
  static size_t LeastBytes(const Options& options);

  // Carries the stream. Once. Errors: those of Upstream::Call(), as soon as the upstream has
  // answered, however much the caller has yet to send; INVALID_FIELD, REQUEST_MALFORMED,
  // MESSAGE_TOO_LARGE, FRAME_TOO_LARGE, TOO_MANY_FRAMES, STREAM_TOO_LARGE, STREAM_PROTOCOL,
  // FRAME_COUNT_MISMATCH; STREAM_IDLE when the caller sends nothing for too long or the deadline
  // passes while it is awaited; UPSTREAM_TIMEOUT when the upstream takes nothing for too long;
  // CALLER_CANCELLED.
  Task<absl::Status> Run(Order order);

  // Of the request, if it came to one; else empty.
  const std::string& target() const { return target_; }

  const Received& received() const { return received_; }

  // As MessageReader::End().
  Task<> End() { return messages_.End(); }

 private:
  using Message = kora::idv::v1::StreamLivenessFramesRequest;

  Task<absl::Status> Carry();
  Task<absl::Status> Receive();
  Task<bool> HasCallerFinished();
  absl::Status Parse();
  absl::Status Begin();
  absl::Status AddFrame();
  absl::Status CheckEndMark() const;
  Task<absl::Status> AwaitTaken();
  void Send();
  Task<> Transfer();
  bool is_over() const { return answer_.has_value() || cancellation_.fired(); }

  Shard& shard_;
  RawService::UploadReader& reader_;
  Cancellation& cancellation_;
  const Options& options_;
  const Order* order_ = nullptr;  // of Run()
  Event changed_;
  MessageReader messages_;
  Operation headers_sent_;

  Received received_;

  // The message that has come last.
  grpc::ByteBuffer bytes_;
  Message message_;
  bool has_ended_ = false;  // none will come

  FramesWriter writer_;
  RestRequest request_;             // until it is sent
  std::string target_;              // of it
  SpanId span_id_{};                // the same
  JsonBody part_;                   // what is not sent yet
  std::vector<ImageMessage> held_;  // the frames in it
  size_t held_bytes_ = 0;
  std::shared_ptr<StreamedBody> body_;  // null while nothing is sent, and when buffered
  bool is_sending_ = false;
  std::optional<absl::Status> answer_;  // the upstream's, or that there is none
};

}  // namespace idv
