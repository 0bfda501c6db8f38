#include "gateway/verify/frame_upload.h"

#include <algorithm>
#include <utility>

namespace idv::verify {

namespace v1 = kora::idv::v1;
using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

namespace {

// How often a person sees that it is still going on.
constexpr milliseconds kTick(200);

void Set(google::protobuf::Duration& duration, nanoseconds time) {
  constexpr nanoseconds kSecond = std::chrono::seconds(1);
  duration.set_seconds(time / kSecond);
  duration.set_nanos(static_cast<int>((time % kSecond).count()));
}

}  // namespace

grpc::Status FrameUpload::Run(const std::shared_ptr<grpc::Channel>& channel,
                              grpc::ClientContext& context, v1::LivenessFramesHeader header,
                              v1::LivenessFramesResult& result) {
  FrameStream stream(channel, context, result);
  if (SendHeader(stream, std::move(header)) && SendFrames(stream)) {
    FrameStream::Message message;
    message.mutable_end()->set_frame_count(plan_.count);
    stream.SendLast(message);
  }
  AwaitEnd(stream);
  return stream.Status();
}

bool FrameUpload::SendHeader(FrameStream& stream, v1::LivenessFramesHeader header) const {
  header.set_frames_per_second(plan_.per_second);
  FrameStream::Message message;
  *message.mutable_header() = std::move(header);
  if (!Await(stream, Clock::now())) return false;
  stream.Send(message);
  return Await(stream, Clock::now());
}

// Due times count from the first frame, so that one late frame delays no other.
bool FrameUpload::SendFrames(FrameStream& stream) {
  FrameStream::Message message;
  auto& frame = *message.mutable_frame();
  frame.set_image(MakeFrame(picture_, plan_.bytes));
  const auto first = Clock::now();
  for (int i = 0; i < plan_.count; ++i) {
    const auto offset = plan_.Offset(i);
    NumberFrame(*frame.mutable_image(), i + 1);
    Set(*frame.mutable_capture_offset(), offset);
    if (!Await(stream, first + offset)) return false;
    stream.Send(message);
    if (!Await(stream, Clock::now())) return false;
    ++sent_;
  }
  return true;
}

// Waits until a message can be sent and is due.
bool FrameUpload::Await(FrameStream& stream, Clock::time_point due) const {
  while (!stream.Ended() && !(stream.Ready() && Clock::now() >= due)) {
    const auto tick = Clock::now() + kTick;
    Pause(stream, stream.Ready() ? std::min(due, tick) : tick);
  }
  return !stream.Ended();
}

// The deadline of the call sees to it that the end comes.
void FrameUpload::AwaitEnd(FrameStream& stream) const {
  while (!stream.Ended()) Pause(stream, Clock::now() + kTick);
}

void FrameUpload::Pause(FrameStream& stream, Clock::time_point until) const {
  report_.Progressed(
      {sent_, plan_.count, plan_.Bytes(sent_), duration_cast<milliseconds>(Clock::now() - start_)});
  stream.Wait(until);
}

}  // namespace idv::verify
