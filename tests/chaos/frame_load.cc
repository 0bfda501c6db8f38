#include "tests/chaos/frame_load.h"

#include <utility>

#include "kora/idv/v1/liveness_service.grpc.pb.h"

namespace idv::chaos {

using kora::idv::v1::LivenessFramesResult;
using kora::idv::v1::LivenessService;
using kora::idv::v1::StreamLivenessFramesRequest;

class FrameLoad::Stream final : public grpc::ClientWriteReactor<StreamLivenessFramesRequest> {
 public:
  Stream(FrameLoad& load, const std::shared_ptr<grpc::Channel>& channel,
         const std::string& verification_id, const Size& size,
         const StreamLivenessFramesRequest& frame)
      : load_(load), stub_(channel), frame_(frame), left_(size.frames) {
    context_.set_deadline(std::chrono::system_clock::now() + size.timeout);
    header_.mutable_header()->set_verification_id(verification_id);
    stub_.async()->StreamLivenessFrames(&context_, &result_, this);
    StartWrite(&header_);
    StartCall();
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return;  // OnDone() says why
    if (left_-- > 0) return StartWrite(&frame_);
    StartWritesDone();
  }

  void OnDone(const grpc::Status& status) override {
    const std::lock_guard lock(load_.mutex_);
    load_.statuses_.push_back(status);
    --load_.running_;
    load_.ended_.notify_all();
  }

 private:
  FrameLoad& load_;
  LivenessService::Stub stub_;
  grpc::ClientContext context_;
  StreamLivenessFramesRequest header_;
  const StreamLivenessFramesRequest& frame_;
  int left_;
  LivenessFramesResult result_;
};

FrameLoad::FrameLoad(const std::vector<std::shared_ptr<grpc::Channel>>& channels,
                     const std::vector<std::string>& verification_ids, const Size& size)
    : running_(verification_ids.size()) {
  frame_.mutable_frame()->set_image(std::string(size.frame_bytes, 'f'));
  for (size_t i = 0; i < verification_ids.size(); ++i) {
    streams_.push_back(std::make_unique<Stream>(*this, channels[i % channels.size()],
                                                verification_ids[i], size, frame_));
  }
}

FrameLoad::~FrameLoad() { Finish(); }

size_t FrameLoad::running() {
  const std::lock_guard lock(mutex_);
  return running_;
}

std::vector<grpc::Status> FrameLoad::Finish() {
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [this] { return running_ == 0; });
  return statuses_;
}

}  // namespace idv::chaos
