#include "gateway/verify/frame_stream.h"

namespace idv::verify {

namespace v1 = kora::idv::v1;
using std::chrono::system_clock;

namespace {

// What the queue brings: a message (or the start of the call) has gone, the call has ended.
char sent_event;
char ended_event;

}  // namespace

// The end is awaited from the start on. A blocking writer would see it no sooner than with its next
// message.
FrameStream::FrameStream(const std::shared_ptr<grpc::Channel>& channel,
                         grpc::ClientContext& context, v1::LivenessFramesResult& result)
    : context_(context),
      writer_(v1::LivenessService::NewStub(channel)->AsyncStreamLivenessFrames(
          &context, &result, &queue_, &sent_event)) {
  writer_->Finish(&status_, &ended_event);
}

// Every event comes back once, and may not find its memory gone.
FrameStream::~FrameStream() {
  context_.TryCancel();
  queue_.Shutdown();
  void* event = nullptr;
  bool ok = false;
  while (queue_.Next(&event, &ok)) {
  }
}

void FrameStream::Send(const Message& message) {
  ready_ = false;
  writer_->Write(message, &sent_event);
}

void FrameStream::SendLast(const Message& message) {
  ready_ = false;
  writer_->Write(message, grpc::WriteOptions().set_last_message(), &sent_event);
}

void FrameStream::Wait(Clock::time_point until) {
  const auto time = std::chrono::duration_cast<system_clock::duration>(until - Clock::now());
  void* event = nullptr;
  bool ok = false;
  if (queue_.AsyncNext(&event, &ok, system_clock::now() + time) ==
      grpc::CompletionQueue::GOT_EVENT) {
    Note(event, ok);
  }
}

// A message that could not be sent means that the call ends; why is told by its end.
void FrameStream::Note(const void* event, bool ok) {
  if (event == &ended_event) ended_ = true;
  if (event == &sent_event) ready_ = ok;
}

}  // namespace idv::verify
