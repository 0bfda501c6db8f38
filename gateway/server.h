#pragma once

#include <absl/status/statusor.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "gateway/acceptor.h"
#include "gateway/accounts.h"
#include "gateway/calls.h"
#include "gateway/config.h"
#include "gateway/drain_times.h"
#include "gateway/health.h"
#include "gateway/hurry.h"
#include "gateway/method.h"
#include "gateway/pulse.h"
#include "gateway/readiness.h"
#include "gateway/reflection.h"
#include "gateway/server_tls.h"
#include "gateway/shard.h"
#include "gateway/standing.h"
#include "metrics/telemetry.h"
#include "upstream/drift_counter.h"
#include "upstream/loop/watcher.h"

namespace idv {

// The running gateway: the gRPC server, its shards and their threads. Start, Shutdown and
// destruction on one thread.
class Server {
 public:
  // Whom to tell of what calls find out; on their shards' threads.
  struct Reports {
    // Of something unknown for the first time.
    DriftReporter drift;
    KeyReporter key;
    Accounts::Reports accounts;
    // Where calls are written to; null: nowhere.
    const Log* log = nullptr;
    // Where sampled traces go; null: nowhere.
    SpanExporter* spans = nullptr;
  };

  // What is served with, beside the configuration.
  struct Keys {
    std::vector<Tenant> tenants;
    std::shared_ptr<ServerTls> tls;
    std::shared_ptr<TokenVerifier> tokens;
  };

  // Listens and serves. `keys`: those of `config`. Borrows the methods, which must outlive it.
  // kUnavailable: an address cannot be listened on; the text names it. kInvalidArgument: the
  // directory for answers cannot be used.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const Config& config, const Methods& methods,
                                                       const Keys& keys, const Reports& reports);
  // Shuts down at once if Shutdown() was not called.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Where it listens, in the config's order, with the real ports.
  const std::vector<std::string>& addresses() const { return addresses_; }

  // Serves calls from now on with what of these can be replaced (see gateway/settings.h); `keys`:
  // those of `config`. From one thread at a time.
  void Replace(const Config& config, const Keys& keys);

  // Not ready: it shuts down, or there is no tenant whose key the upstream may take. From any
  // thread.
  Readiness readiness() const;

  // How it stands. From any thread.
  Standing standing() const;
  // Whether a shard is stuck, which a restart would mend: what is wrong, a line each. From any
  // thread.
  std::vector<std::string> stalls() const;

  Telemetry& telemetry() { return telemetry_; }

  const DriftCounter& drift() const { return drift_counter_; }

  // How many calls run, from when they are brought to their status. From any thread.
  size_t running() const;

  // Ends in order, so that no caller that heeds health checks notices:
  //  1. the health says NOT_SERVING, and everything is served on, for `times.settle`;
  //  2. new calls end with GATEWAY_DRAINING, and running ones go on, until none runs and none has
  //     come for a second or nobody is connected, or until the grace of their kind is over;
  //  3. calls that still run then are cut off, each with GATEWAY_DRAINING;
  //  4. everything is closed. Only then it returns.
  // `hurry` cuts the first two short. Once.
  void Shutdown(const DrainTimes& times, Hurry& hurry);

 private:
  Server(const Config& config, const Methods& methods, const Keys& keys, const Reports& reports,
         std::unique_ptr<Accounts> accounts);
  absl::StatusOr<std::vector<Listener>> OpenListeners(const Config& config);
  absl::Status Build(const Config& config, const std::shared_ptr<ServerTls>& tls,
                     const DriftReporter& report_drift);
  Upstream::Reports ReportsOfShard(const DriftReporter& report_drift);
  void RunShards();
  bool IsRedisUnreachable() const;
  bool IsQuiet() const;
  void AwaitQuiet(TimePoint end, Hurry& hurry) const;
  void CutOffRunning(bool frame_streams_too);
  void CutOffBackground();
  std::vector<bool> ServingServices() const;
  void TellHealth();

  std::atomic<bool> is_shutting_down_ = false;
  const Methods& methods_;
  Telemetry telemetry_;
  DriftCounter drift_counter_;
  const std::unique_ptr<Accounts> accounts_;
  Calls calls_;
  Health health_;
  std::optional<Reflection> reflection_;
  std::vector<std::string> addresses_;
  grpc::ResourceQuota quota_{"callers"};
  Watcher watcher_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<std::unique_ptr<Health::OnShard>> healths_;  // one for each shard
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> plaintext_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> tls_;
  std::unique_ptr<grpc::Server> server_;  // goes before the shards' queues
  std::vector<std::thread> threads_;
  std::vector<bool> told_health_;  // for the pulse
  mutable std::mutex mutex_;
  // Protected by mutex_, since pages look at them while they go; null then:
  std::unique_ptr<Acceptor> acceptor_;
  std::unique_ptr<Pulse> pulse_;
};

}  // namespace idv
