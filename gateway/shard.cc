#include "gateway/shard.h"

#include <utility>

namespace idv {

Shard::Shard(std::unique_ptr<grpc::ServerCompletionQueue> queue, Watcher& watcher,
             const Upstream::Options& upstream, Upstream::Reports reports)
    : queue_(std::move(queue)),
      parker_(*queue_),
      loop_(parker_, watcher),
      upstream_(loop_, upstream, std::move(reports)) {}

void Shard::Stop() {
  loop_.Post([this] {
    stopping_ = true;
    ShutDownIfDone();
  });
}

void Shard::ShutDownIfDone() {
  if (stopping_ && present_ == 0) ShutDownQueue();
}

void Shard::ShutDownQueue() {
  shut_down_ = true;
  loop_.Close();  // a wake-up after the shutdown would crash
  queue_->Shutdown();
}

Shard::~Shard() {
  if (shut_down_) return;
  ShutDownQueue();  // gRPC demands that a queue is shut down and drained
  Run();
}

}  // namespace idv
