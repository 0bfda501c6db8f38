#include "gateway/server.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>

#include <utility>

namespace idv {
namespace {

// Over the largest message that is taken, so that our own error can say that one is too large.
constexpr size_t kTransportReserveBytes = 1 << 20;

// How often a shutdown looks whether the running calls have ended.
constexpr std::chrono::milliseconds kDrainPoll{5};

// For last replies on their way and for clients to hang up by themselves; an idle one may take its
// time.
constexpr std::chrono::milliseconds kFarewell{100};

std::vector<std::string> With(std::vector<std::string> names, const std::string& name) {
  names.push_back(name);
  return names;
}

std::string WithPort(const std::string& address, int port) {
  if (absl::StartsWith(address, "unix:")) return address;
  return absl::StrCat(address.substr(0, address.rfind(':')), ":", port);
}

}  // namespace

Server::Server(const Config& config, const Methods& methods, std::vector<Sender> senders)
    : calls_(methods,
             {.policy = config.policy, .tenants = std::move(senders), .limits = config.limits}),
      health_(methods.ServiceNames()) {
  if (config.reflection) {
    reflection_.emplace(With(methods.ServiceNames(), "grpc.health.v1.Health"));
  }
}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const Config& config, const Methods& methods,
                                                      std::vector<Sender> senders,
                                                      const DriftReporter& report_drift) {
  std::unique_ptr<Server> server(new Server(config, methods, std::move(senders)));
  if (absl::Status status = server->Listen(config, report_drift); !status.ok()) {
    return status;
  }
  server->RunShards();
  return server;
}

absl::Status Server::Listen(const Config& config, const DriftReporter& report_drift) {
  grpc::ServerBuilder builder;
  // Else two gateways could share a port without knowing.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.SetMaxReceiveMessageSize(static_cast<int>(
      config.limits.max_message_bytes + config.limits.max_image_bytes + kTransportReserveBytes));
  for (const auto& service : calls_.services()) builder.RegisterService(service.get());
  builder.RegisterService(&health_.service());
  if (reflection_) {
    for (RawService* service : reflection_->services()) builder.RegisterService(service);
  }
  std::vector<int> ports(config.grpc_addresses.size());
  for (size_t i = 0; i < ports.size(); ++i) {
    builder.AddListeningPort(config.grpc_addresses[i], grpc::InsecureServerCredentials(),
                             &ports[i]);
  }
  for (int i = 0; i < config.shards; ++i) {
    shards_.push_back(std::make_unique<Shard>(builder.AddCompletionQueue(), watcher_,
                                              config.upstream, report_drift));
  }
  server_ = builder.BuildAndStart();
  for (size_t i = 0; i < ports.size(); ++i) {
    if (server_ == nullptr || ports[i] == 0) {
      return absl::UnavailableError(
          absl::StrCat("cannot listen on ", config.grpc_addresses[i], ": in use, or not allowed"));
    }
    addresses_.push_back(WithPort(config.grpc_addresses[i], ports[i]));
  }
  return absl::OkStatus();
}

void Server::RunShards() {
  for (const auto& shard : shards_) {
    calls_.ServeOn(*shard);
    healths_.push_back(std::make_unique<Health::OnShard>(health_, *shard));
    healths_.back()->Serve();
    if (reflection_) reflection_->ServeOn(*shard);
  }
  for (const auto& shard : shards_) threads_.emplace_back([&shard = *shard] { shard.Run(); });
}

void Server::Shutdown(std::chrono::milliseconds grace) {
  for (size_t i = 0; i < shards_.size(); ++i) {
    shards_[i]->loop().Post([health = healths_[i].get()] { health->StopServing(); });
  }
  calls_.Drain();
  const TimePoint end = Clock::now() + grace;
  while (calls_.running() > 0 && Clock::now() < end) std::this_thread::sleep_for(kDrainPoll);
  server_->Shutdown(std::chrono::system_clock::now() + kFarewell);
  for (const auto& shard : shards_) shard->Stop();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

Server::~Server() {
  if (!threads_.empty()) Shutdown(std::chrono::milliseconds(0));
}

}  // namespace idv
