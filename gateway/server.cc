#include "gateway/server.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/time/time.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace idv {
namespace {

using grpc::experimental::ExternalConnectionAcceptor;
using std::chrono::milliseconds;

// Over the largest message that is taken, so that our own error can say that one is too large.
constexpr size_t kTransportReserveBytes = 1 << 20;

// What gRPC may use beside uploads and frames: connections, and what it has read ahead of some
// thousand calls.
constexpr size_t kMemoryReserveBytes = size_t{128} << 20;

// How much of a request gRPC reads ahead of us; more of one that is being read. HTTP/2's own 64 KiB
// were a fifth of what a thousand frame streams hold; less costs no processor time.
constexpr int kStreamWindowBytes = 16 << 10;

// Of a call's metadata: a bearer token of some kB, and to spare.
constexpr int kMaxMetadataBytes = 16 << 10;

// From a connection to the first frames of HTTP/2 on it, TLS included.
constexpr milliseconds kHandshakeTimeout{10'000};

// A connection whose peer says nothing to a ping for so long is dead.
constexpr milliseconds kKeepaliveTimeout{20'000};

// How often a shutdown looks whether the running calls have ended.
constexpr milliseconds kDrainPoll{5};

// After so long without a call, nobody is left who does not know that the gateway goes.
constexpr milliseconds kQuiet{1'000};

// For the last replies of calls that were cut off.
constexpr milliseconds kCutOffPatience{1'000};

// For last replies on their way and for clients to hang up by themselves; an idle one may take its
// time.
constexpr milliseconds kFarewell{100};

std::vector<std::string> With(std::vector<std::string> names, const std::string& name) {
  names.push_back(name);
  return names;
}

int ToInt(milliseconds time) { return static_cast<int>(time.count()); }

size_t LargestMessage(const Config& config) {
  return config.limits.max_message_bytes +
         std::max(config.limits.max_image_bytes, config.frames.max_frame_bytes);
}

// The last resort, since it ends running calls too. What is held of a message lies where gRPC has
// put it, so it counts.
size_t QuotaOf(const Config& config) {
  const auto shards = static_cast<size_t>(config.shards);
  return shards * ReadingTurns::kAtOnce * LargestMessage(config) + config.caps.upload_bytes +
         kMemoryReserveBytes;
}

void Bound(grpc::ServerBuilder& builder, const Config& config) {
  const auto set = [&](const char* argument, int value) {
    builder.AddChannelArgument(argument, value);
  };
  set(GRPC_ARG_MAX_CONCURRENT_STREAMS, config.connections.max_streams_each);
  set(GRPC_ARG_MAX_CONNECTION_AGE_MS, ToInt(config.connections.max_age));
  set(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, ToInt(config.connections.max_age_grace));
  set(GRPC_ARG_KEEPALIVE_TIME_MS, ToInt(config.connections.keepalive_time));
  set(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, ToInt(kKeepaliveTimeout));
  set(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  // Clients may ping as often as they like. By default gRPC takes more than a ping in five minutes
  // for an attack, which then costs 2 kB for each ping until the connection is closed; an answer
  // costs some bytes.
  set(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0);
  set(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, ToInt(kHandshakeTimeout));
  set(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  // What our calls do by themselves (a deadline of their own comes before the caller's), and what
  // nobody asks for, costs every call a little.
  set(GRPC_ARG_ENABLE_DEADLINE_CHECKS, 0);
  set(GRPC_ARG_ENABLE_CHANNELZ, 0);
  // No compressed messages: images are compressed already, and a small message could unfold to
  // fill the memory.
  set(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0);
  set(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  // Windows that do not grow with the bandwidth, so that a caller's unread bytes stay few.
  set(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  set(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kStreamWindowBytes);
  builder.SetMaxReceiveMessageSize(
      static_cast<int>(LargestMessage(config) + kTransportReserveBytes));
}

std::vector<CallSeries::Rpc> RpcsOf(const Methods& methods) {
  std::vector<CallSeries::Rpc> rpcs;
  for (const Method& method : methods.all()) {
    const google::protobuf::MethodDescriptor& rpc = method.route.method();
    rpcs.push_back({.service = rpc.service()->full_name(),
                    .method = rpc.name(),
                    .is_client_stream = rpc.client_streaming()});
  }
  return rpcs;
}

std::vector<CallSeries::Reason> Reasons() {
  std::vector<CallSeries::Reason> reasons;
  reasons.reserve(reason::kAll.size() + reason::kUpstreamCodes.size());
  for (const Reason& reason : reason::kAll) reasons.push_back({reason.name, NameOf(reason.blame)});
  for (const absl::string_view code : reason::kUpstreamCodes) {
    reasons.push_back({code, NameOf(Blame::kCaller)});
  }
  return reasons;
}

// See RunErrand().
std::vector<absl::string_view> RepeatedReasons() {
  return {reason::kUpstreamRateLimited.name, reason::kUpstreamUnavailable.name,
          reason::kUpstreamUnreachable.name, reason::kUpstreamTimeout.name,
          reason::kUpstreamError.name,       reason::kUpstreamCredentialRejected.name};
}

Settings SettingsOf(const Config& config, const Server::Keys& keys, Accounts& accounts) {
  return {.policy = config.policy,
          .callers = config.caller_rules,
          .tokens = keys.tokens,
          .tenants = keys.tenants,
          .accounts = accounts.For(config),
          .retry = config.retry,
          .cache = config.cache,
          .limits = config.limits,
          .frames = config.frames,
          .caps = config.caps,
          .propagates = config.tracing.propagates};
}

// What of the upstream does not work, or has not lately.
void AddTroubles(const std::string& tenant, Account& account, std::vector<std::string>& troubles) {
  for (const auto kind : {Account::Kind::kRead, Account::Kind::kWrite, Account::Kind::kUpload}) {
    if (account.BreakerOf(kind).state() == Breaker::State::kClosed) continue;
    troubles.push_back(absl::StrCat("tenant ", tenant, ": the upstream fails (", NameOf(kind),
                                    "s); it is asked now and then"));
  }
  const AnswerCache::Summary summary = account.reference.summary(std::chrono::system_clock::now());
  if (!summary.oldest_stale_fetched_at) return;
  troubles.push_back(absl::StrCat(
      "tenant ", tenant, ": reference data is stale, the oldest of ",
      absl::FormatTime(absl::RFC3339_sec, absl::FromChrono(*summary.oldest_stale_fetched_at),
                       absl::UTCTimeZone())));
}

// Whether calls of it may be answered well: by the upstream, or by what it has answered before.
bool IsAnswered(const Route& route, Account& account, TimePoint now) {
  return route.options().target() == kora::idv::gateway::v1::TARGET_HEALTH ||
         route.options().caching() == kora::idv::gateway::v1::CACHING_REFERENCE ||
         !account.BreakerOf(KindOf(route)).Wait(now);
}

Standing::OfTenant StandingOf(const Tenant& tenant, Account& account) {
  const TimePoint now = Clock::now();
  const auto wall_now = std::chrono::system_clock::now();
  Standing::OfTenant standing{
      .name = tenant.name,
      .has_key = tenant.keys->Best(now).has_value(),
      .is_refused = tenant.keys->is_refused(),
      .key_failures = tenant.secret != nullptr ? tenant.secret->failures() : 0,
      .tally = tenant.tally,
      .is_unlimited = account.budget.is_unlimited(),
      .budget = account.budget.summary(now),
      .breakers = {},
      .reference = account.reference.summary(wall_now),
      .verifications = account.verifications.summary(wall_now)};
  for (size_t i = 0; i < Account::kKinds; ++i) standing.breakers[i] = account.breakers[i].state();
  return standing;
}

}  // namespace

Server::Server(const Config& config, const Methods& methods, const Keys& keys,
               const Reports& reports, std::unique_ptr<Accounts> accounts)
    : methods_(methods),
      telemetry_(RpcsOf(methods), Reasons(), RepeatedReasons(), reports.log, reports.spans),
      accounts_(std::move(accounts)),
      calls_(methods, SettingsOf(config, keys, *accounts_), reports.key, telemetry_),
      health_(methods.ServiceNames()) {
  telemetry_.SetOptions(
      {.logs_calls = config.logs_calls, .sample_ratio = config.tracing.sample_ratio});
  if (config.reflection) {
    reflection_.emplace(With(methods.ServiceNames(), "grpc.health.v1.Health"));
  }
}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const Config& config, const Methods& methods,
                                                      const Keys& keys, const Reports& reports) {
  absl::StatusOr<std::unique_ptr<Accounts>> accounts = Accounts::Open(config, reports.accounts);
  if (!accounts.ok()) return accounts.status();
  std::unique_ptr<Server> server(new Server(config, methods, keys, reports, *std::move(accounts)));
  absl::StatusOr<std::vector<Listener>> listeners = server->OpenListeners(config);
  if (!listeners.ok()) return listeners.status();
  if (absl::Status status = server->Build(config, keys.tls, reports.drift); !status.ok())
    return status;
  server->RunShards();
  std::unordered_map<int, ExternalConnectionAcceptor*> takers;
  for (const Listener& listener : *listeners) {
    const bool is_tls = config.tls && !absl::StartsWith(listener.address(), "unix:");
    for (const int fd : listener.fds())
      takers[fd] = (is_tls ? server->tls_ : server->plaintext_).get();
  }
  server->acceptor_ = std::make_unique<Acceptor>(
      *std::move(listeners), config.connections.max, [takers](int listener_fd, int fd) {
        ExternalConnectionAcceptor::NewConnectionParameters connection;
        connection.listener_fd = listener_fd;
        connection.fd = fd;
        takers.at(listener_fd)->HandleNewConnection(&connection);
      });
  return server;
}

absl::StatusOr<std::vector<Listener>> Server::OpenListeners(const Config& config) {
  std::vector<Listener> listeners;
  for (const std::string& address : config.grpc_addresses) {
    absl::StatusOr<Listener> listener = Listener::Open(
        address, {.unix_mode = config.unix_mode, .unacknowledged = kKeepaliveTimeout});
    if (!listener.ok()) return listener.status();
    addresses_.push_back(listener->address());
    listeners.push_back(*std::move(listener));
  }
  return listeners;
}

absl::Status Server::Build(const Config& config, const std::shared_ptr<ServerTls>& tls,
                           const DriftReporter& report_drift) {
  grpc::ServerBuilder builder;
  Bound(builder, config);
  quota_.Resize(QuotaOf(config));
  builder.SetResourceQuota(quota_);
  for (const auto& service : calls_.services()) builder.RegisterService(service.get());
  builder.RegisterService(&health_.service());
  if (reflection_) {
    for (RawService* service : reflection_->services()) builder.RegisterService(service);
  }
  const auto take = [&](const std::shared_ptr<grpc::ServerCredentials>& credentials) {
    return builder.experimental().AddExternalConnectionAcceptor(
        grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, credentials);
  };
  plaintext_ = take(grpc::InsecureServerCredentials());
  if (tls != nullptr) tls_ = take(tls->Credentials());
  for (int i = 0; i < config.shards; ++i) {
    shards_.push_back(std::make_unique<Shard>(builder.AddCompletionQueue(), watcher_,
                                              config.upstream, ReportsOfShard(report_drift)));
  }
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) return absl::UnavailableError("gRPC would not start its server");
  return absl::OkStatus();
}

Upstream::Reports Server::ReportsOfShard(const DriftReporter& report_drift) {
  return {
      .drift =
          [this, report_drift](const google::protobuf::MethodDescriptor& rpc, const Drift& drift) {
            telemetry_.series().Drifted(methods_.IndexOf(rpc),
                                        drift.kind == Drift::Kind::kUnknownEnumValue);
            if (drift_counter_.Count(rpc, drift)) report_drift(rpc, drift);
          },
      .request =
          [this](const Route& route, int http_status, std::chrono::nanoseconds total,
                 const RequestPhases& phases) {
            telemetry_.series().Requested({.rpc = methods_.IndexOf(route.method()),
                                           .http_status = http_status,
                                           .dns = phases.dns,
                                           .connect = phases.connect,
                                           .tls = phases.tls,
                                           .first_byte = phases.first_byte,
                                           .total = total});
          }};
}

void Server::RunShards() {
  told_health_ = ServingServices();
  for (const auto& shard : shards_) {
    calls_.ServeOn(*shard);
    healths_.push_back(std::make_unique<Health::OnShard>(health_, *shard));
    healths_.back()->Set(told_health_);
    healths_.back()->Serve();
    if (reflection_) reflection_->ServeOn(*shard);
  }
  for (const auto& shard : shards_) threads_.emplace_back([&shard = *shard] { shard.Run(); });
  std::vector<Loop*> loops;
  loops.reserve(shards_.size());
  for (const auto& shard : shards_) loops.push_back(&shard->loop());
  pulse_ = std::make_unique<Pulse>(loops, [this] { TellHealth(); });
}

// By the places of the services.
std::vector<bool> Server::ServingServices() const {
  const auto settings = calls_.settings();
  const TimePoint now = Clock::now();
  std::vector<bool> serving(methods_.services().size());
  for (size_t i = 0; i < settings->tenants.size(); ++i) {
    if (!settings->tenants[i].keys->IsUsable(now)) continue;
    for (const Method& method : methods_.all()) {
      if (serving[method.service]) continue;
      serving[method.service] = IsAnswered(method.route, *settings->accounts[i], now);
    }
    if (std::find(serving.begin(), serving.end(), false) == serving.end()) break;
  }
  return serving;
}

void Server::TellHealth() {
  std::vector<bool> serving = ServingServices();
  if (serving == told_health_) return;
  told_health_ = serving;
  for (size_t i = 0; i < shards_.size(); ++i) {
    shards_[i]->loop().Post([health = healths_[i].get(), serving] { health->Set(serving); });
  }
}

void Server::Replace(const Config& config, const Keys& keys) {
  quota_.Resize(QuotaOf(config));
  telemetry_.SetOptions(
      {.logs_calls = config.logs_calls, .sample_ratio = config.tracing.sample_ratio});
  calls_.Replace(SettingsOf(config, keys, *accounts_));
}

Readiness Server::readiness() const {
  Readiness readiness;
  if (is_shutting_down_) readiness = {.is_ready = false, .reasons = {"shutting down"}};
  size_t served = 0;
  const auto settings = calls_.settings();
  for (size_t i = 0; i < settings->tenants.size(); ++i) {
    const Tenant& tenant = settings->tenants[i];
    const bool has_key = tenant.keys->Best(Clock::now()).has_value();
    const bool is_refused = tenant.keys->is_refused();
    if (!has_key) readiness.reasons.push_back(absl::StrCat("tenant ", tenant.name, ": no API key"));
    if (is_refused) {
      readiness.reasons.push_back(
          absl::StrCat("tenant ", tenant.name, ": the upstream refuses the API key"));
    }
    if (tenant.keys->IsUsable(Clock::now())) ++served;
    AddTroubles(tenant.name, *settings->accounts[i], readiness.reasons);
  }
  if (served == 0) readiness.is_ready = false;
  if (IsRedisUnreachable()) {
    readiness.reasons.push_back(
        absl::StrCat("Redis at ", accounts_->redis()->address(),
                     " is out of reach: only what this gateway spends counts"));
  }
  return readiness;
}

bool Server::IsRedisUnreachable() const {
  const RedisClient* const redis = accounts_->redis();
  return redis != nullptr && !redis->is_up();
}

Standing Server::standing() const {
  Standing standing{.readiness = readiness(),
                    .is_redis_unreachable = IsRedisUnreachable(),
                    .is_draining = is_shutting_down_,
                    .usage = calls_.usage(),
                    .frame_streams = calls_.frame_streams()};
  {
    const std::lock_guard lock(mutex_);
    if (acceptor_ != nullptr) standing.connections = acceptor_->open_connections();
    if (pulse_ != nullptr) standing.shards = pulse_->beats();
  }
  const auto settings = calls_.settings();
  for (size_t i = 0; i < settings->tenants.size(); ++i) {
    standing.tenants.push_back(StandingOf(settings->tenants[i], *settings->accounts[i]));
  }
  return standing;
}

std::vector<std::string> Server::stalls() const {
  std::vector<std::string> stalls;
  const std::lock_guard lock(mutex_);
  if (pulse_ == nullptr) return stalls;
  const std::vector<Pulse::Beat> beats = pulse_->beats();
  for (size_t i = 0; i < beats.size(); ++i) {
    if (!beats[i].is_stalled()) continue;
    stalls.push_back(
        absl::StrCat("shard ", i, " has not answered for ",
                     std::chrono::duration_cast<std::chrono::seconds>(beats[i].lag).count(), " s"));
  }
  return stalls;
}

void Server::Shutdown(const DrainTimes& times, Hurry& hurry) {
  is_shutting_down_ = true;
  for (size_t i = 0; i < shards_.size(); ++i) {
    shards_[i]->loop().Post([health = healths_[i].get()] { health->StopServing(); });
  }
  hurry.Wait(times.settle);
  calls_.Drain();
  CutOffBackground();
  const TimePoint begin = Clock::now();
  AwaitQuiet(begin + times.unary_grace, hurry);
  CutOffRunning(/*frame_streams_too=*/false);
  AwaitQuiet(begin + times.stream_grace, hurry);
  CutOffRunning(/*frame_streams_too=*/true);
  for (const TimePoint end = Clock::now() + kCutOffPatience; running() > 0 && Clock::now() < end;) {
    std::this_thread::sleep_for(kDrainPoll);
  }
  {
    const std::lock_guard lock(mutex_);
    pulse_.reset();
    acceptor_.reset();
  }
  server_->Shutdown(std::chrono::system_clock::now() + kFarewell);
  for (const auto& shard : shards_) shard->Stop();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

size_t Server::running() const {
  size_t running = 0;
  for (const auto& shard : shards_) running += shard->running().count();
  return running;
}

bool Server::IsQuiet() const {
  if (running() > 0) return false;
  return acceptor_->open_connections() == 0 || Clock::now() - calls_.last_refused() >= kQuiet;
}

void Server::AwaitQuiet(TimePoint end, Hurry& hurry) const {
  while (!IsQuiet() && Clock::now() < end && !hurry.Wait(kDrainPoll)) {
  }
}

void Server::CutOffRunning(bool frame_streams_too) {
  for (const auto& shard : shards_) {
    shard->loop().Post([&running = shard->running(), frame_streams_too] {
      running.CutOff(/*those_that_may_last=*/frame_streams_too);
    });
  }
  CutOffBackground();
}

void Server::CutOffBackground() {
  for (const auto& shard : shards_) {
    shard->loop().Post(
        [&background = shard->background()] { background.CutOff(/*those_that_may_last=*/true); });
  }
}

Server::~Server() {
  if (threads_.empty()) return;
  Hurry hurry;
  hurry.Now();
  Shutdown({}, hurry);
}

}  // namespace idv
