#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "kora/idv/v1/liveness_service.pb.h"

namespace idv::chaos {

// Streams of frames that run at once, each sent as fast as it is taken.
class FrameLoad {
 public:
  struct Size {
    int frames;
    size_t frame_bytes;
    // For a whole stream.
    std::chrono::seconds timeout;
  };

  // Begins a stream for each of the verifications, over all of the channels.
  FrameLoad(const std::vector<std::shared_ptr<grpc::Channel>>& channels,
            const std::vector<std::string>& verification_ids, const Size& size);
  // Waits for all of them.
  ~FrameLoad();
  FrameLoad(const FrameLoad&) = delete;
  FrameLoad& operator=(const FrameLoad&) = delete;

  // How many run. From any thread.
  size_t running();
  // Waits for the end of all of them, and says how they ended.
  std::vector<grpc::Status> Finish();

 private:
  class Stream;

  kora::idv::v1::StreamLivenessFramesRequest frame_;  // the same for all

  std::mutex mutex_;
  std::condition_variable ended_;
  size_t running_ = 0;                  // protected by mutex_
  std::vector<grpc::Status> statuses_;  // protected by mutex_
  std::vector<std::unique_ptr<Stream>> streams_;
};

}  // namespace idv::chaos
