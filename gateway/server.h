#pragma once

#include <absl/status/statusor.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "gateway/calls.h"
#include "gateway/config.h"
#include "gateway/health.h"
#include "gateway/method.h"
#include "gateway/reflection.h"
#include "gateway/shard.h"
#include "upstream/loop/watcher.h"

namespace idv {

// The running gateway: the gRPC server, its shards and their threads. Start, Shutdown and
// destruction on one thread.
class Server {
 public:
  // Listens and serves. `senders`: the tenants of `config` with their keys, in its order. Borrows
  // the methods, which must outlive it. kUnavailable: an address cannot be listened on; the text
  // names it.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const Config& config, const Methods& methods,
                                                       std::vector<Sender> senders,
                                                       const DriftReporter& report_drift);
  // Shuts down without grace if Shutdown() was not called.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Where it listens, in the config's order, with the real ports.
  const std::vector<std::string>& addresses() const { return addresses_; }

  // Says NOT_SERVING, refuses new calls with GATEWAY_DRAINING, gives running ones `grace` to end,
  // cancels what is left, and returns when everything has ended. Once.
  void Shutdown(std::chrono::milliseconds grace);

 private:
  Server(const Config& config, const Methods& methods, std::vector<Sender> senders);
  absl::Status Listen(const Config& config, const DriftReporter& report_drift);
  void RunShards();

  Calls calls_;
  Health health_;
  std::optional<Reflection> reflection_;
  std::vector<std::string> addresses_;
  Watcher watcher_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<std::unique_ptr<Health::OnShard>> healths_;  // one for each shard
  std::unique_ptr<grpc::Server> server_;                   // goes before the shards' queues
  std::vector<std::thread> threads_;
};

}  // namespace idv
