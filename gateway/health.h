#pragma once

#include <coroutine>
#include <string>
#include <vector>

#include "gateway/completion.h"
#include "gateway/raw_service.h"
#include "gateway/shard.h"

namespace idv {

// grpc.health.v1 on the shards: SERVING until told otherwise, each service by itself. (The
// library's own health service starts a thread pool that steals the completion queues' poller.)
class Health {
 public:
  // `services`: the full names that can be asked for, besides the empty one.
  explicit Health(std::vector<std::string> services);

  RawService& service() { return service_; }

  // The health service of one shard, for its thread; borrows both.
  class OnShard {
   public:
    OnShard(Health& health, Shard& shard) : health_(health), shard_(shard) {}

    // Answers calls that gRPC brings to the shard, until the server shuts down.
    void Serve();

    // Which services serve from now on, by their places; the empty name does while any of them
    // does. Watchers are told.
    void Set(std::vector<bool> serving);

    // Nothing serves any more. Tells every watcher NOT_SERVING, and then ends its stream: a watcher
    // that stayed would hold up a shutdown.
    void StopServing();

   private:
    class Change;

    Task<> ServeCheck();
    Task<> ServeWatch();
    bool IsServing(const std::string& service) const;

    Health& health_;
    Shard& shard_;
    bool is_stopping_ = false;
    std::vector<bool> serving_;     // empty: all of them
    std::vector<Change*> changes_;  // of the watchers
  };

 private:
  bool Knows(const std::string& service) const;

  const std::vector<std::string> services_;
  RawService service_;
};

}  // namespace idv
