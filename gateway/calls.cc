#include "gateway/calls.h"

#include <absl/strings/str_cat.h>
#include <google/protobuf/arena.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "gateway/attempts.h"
#include "gateway/await_refresh.h"
#include "gateway/image_message.h"
#include "gateway/incoming_call.h"
#include "gateway/metadata.h"
#include "gateway/reads.h"
#include "gateway/requested_message.h"
#include "gateway/status.h"
#include "upstream/clearance.h"
#include "upstream/failure.h"

namespace idv {
namespace {

// Kept back of a caller's deadline, so that our answer still reaches it.
constexpr std::chrono::milliseconds kReplyReserve{20};

// There is another key already; it is only that a stream is not to be opened in haste.
constexpr std::chrono::milliseconds kKeyReplacedWait{100};

absl::Status Draining() {
  return Fail(reason::kGatewayDraining,
              "this gateway is shutting down; another one will take the call");
}

// A call that ran and had to end before its upstream answered. What may have been executed there is
// not to be repeated unseen.
absl::Status CutOff(const Method& method, int attempts) {
  const bool may_act_twice = attempts > 0 && method.route.options().repeat_safety() ==
                                                 kora::idv::gateway::v1::REPEAT_SAFETY_UNSAFE;
  return Fail(reason::kGatewayDraining, "this gateway shut down before the upstream answered",
              {.never_retry = may_act_twice});
}

// A frame stream's key was refused, and there is another one.
absl::Status KeyReplaced() {
  return Fail(reason::kUpstreamCredentialRejected,
              "the tenant's API key was being replaced; a new stream is sent with the other one",
              {.http_status = 401, .retry_after = kKeyReplacedWait});
}

// Until the caller's deadline, if it has set one.
std::optional<std::chrono::nanoseconds> TimeLeft(const grpc::ServerContext& context) {
  const gpr_timespec left = gpr_convert_clock_type(context.raw_deadline(), GPR_TIMESPAN);
  if (gpr_time_cmp(left, gpr_inf_future(GPR_TIMESPAN)) == 0) return std::nullopt;
  // Callers may ask for millennia (99999999H), which are no number of nanoseconds.
  constexpr int64_t kYear = int64_t{365} * 24 * 3600;
  return std::chrono::seconds(std::clamp(left.tv_sec, -kYear, kYear)) +
         std::chrono::nanoseconds(left.tv_nsec);
}

TimePoint DeadlineOf(const Method& method, const Config::Limits& limits,
                     const grpc::ServerContext& context) {
  std::chrono::nanoseconds allowed = limits.default_deadline;
  if (method.route.options().has_timeout()) {
    const auto& timeout = method.route.options().timeout();
    allowed = std::chrono::seconds(timeout.seconds()) + std::chrono::nanoseconds(timeout.nanos());
  }
  if (const auto left = TimeLeft(context)) allowed = *left - kReplyReserve;
  return Clock::now() + std::min<std::chrono::nanoseconds>(allowed, limits.max_deadline);
}

bool ParseWhole(grpc::ByteBuffer& bytes, google::protobuf::Message& message) {
  grpc::ProtoBufferReader reader(&bytes);
  return message.ParseFromZeroCopyStream(&reader);
}

grpc::ByteBuffer ToByteBuffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return {&slice, 1};
}

// A large one is not copied.
grpc::ByteBuffer ToByteBuffer(const std::shared_ptr<const std::string>& shared) {
  constexpr size_t kLarge = 4096;
  if (shared->size() < kLarge) return ToByteBuffer(*shared);
  using Share = std::shared_ptr<const std::string>;
  const auto let_go = [](void* share) { delete static_cast<Share*>(share); };
  // gRPC only reads it.
  const grpc::Slice slice(const_cast<char*>(shared->data()), shared->size(), let_go,
                          new Share(shared));
  return {&slice, 1};
}

// Which cache may answer the route's reads, for people.
absl::string_view CacheOf(const Route& route) {
  switch (route.options().caching()) {
    case kora::idv::gateway::v1::CACHING_REFERENCE:
      return "reference";
    case kora::idv::gateway::v1::CACHING_FINAL_STATUS:
      return "verification";
    default:
      return "none";
  }
}

// The layers of both do not know each other: here their kinds must be the same.
CallRecord::Stretch ToRecord(const Stretch& stretch) {
  using Kind = CallRecord::Stretch::Kind;
  static_assert(static_cast<int>(Kind::kReceive) == static_cast<int>(Stretch::Kind::kReceive));
  static_assert(static_cast<int>(Kind::kWait) == static_cast<int>(Stretch::Kind::kWait));
  static_assert(static_cast<int>(Kind::kUpstream) == static_cast<int>(Stretch::Kind::kUpstream));
  return {.kind = static_cast<Kind>(stretch.kind),
          .began = stretch.began,
          .ended = stretch.ended,
          .http_status = stretch.http_status,
          .span_id = stretch.span_id};
}

// What of the upstream's a request is about: the first two segments of its path.
absl::string_view ResourceOf(absl::string_view target) {
  const size_t second = target.find('/', 1);
  const size_t end = target.find_first_of("/?", second == target.npos ? second : second + 1);
  return target.substr(0, end);
}

// Whatever came of it, what was read before holds no more.
void NoteWrite(Account& account, absl::string_view target) {
  account.flights.Wrote();
  account.verifications.Drop(ResourceOf(target));
}

}  // namespace

// What one call holds while it runs.
struct Calls::Exchange {
  explicit Exchange(Shard& shard) : call(shard) {}

  IncomingCall call;
  // Those that were there when it began.
  std::shared_ptr<const Settings> settings;
  // Who calls.
  std::string identity;
  // For whom; null for a method that is for nobody.
  const Tenant* tenant = nullptr;
  std::shared_ptr<Account> account;
  Budget::Priority priority = Budget::Priority::kInteractive;
  // An upload's message, which is not read before it is asked for.
  std::optional<RequestedMessage> requested;
  grpc::ByteBuffer request_bytes;
  // Of the one message; nothing: it has not come.
  std::optional<size_t> received_bytes;
  // The same with its images, once it is read.
  ImageMessage upload;
  std::optional<FrameStream> frames;
  google::protobuf::Arena arena;
  std::string response_bytes;
  // In its place, when others may have it too.
  std::shared_ptr<const std::string> shared_response;
  // Where it is from, for `x-idv-cache`; empty: nothing is said.
  absl::string_view source;
  CallReport report;
  std::optional<Admission::Ticket> ticket;
  std::string request_id;
  Telemetry::Place place;  // in a trace
  // What the upstream is told of the call, if that is wanted.
  std::optional<Propagation> propagation;

  // Null: the upstream is told nothing of the call.
  const Propagation* told() const { return propagation ? &*propagation : nullptr; }

  // On something other than the gateway's own work, until now.
  void Spent(Stretch::Kind kind, TimePoint since) {
    report.stretches.push_back({.kind = kind, .began = since, .ended = Clock::now()});
  }
};

Calls::Calls(const Methods& methods, Settings settings, KeyReporter report_key,
             Telemetry& telemetry)
    : methods_(methods),
      report_key_(std::move(report_key)),
      telemetry_(telemetry),
      observers_{.report_key = report_key_, .series = telemetry.series()},
      frames_format_(settings.frames.keys),
      admission_(settings.caps),
      settings_(std::make_shared<const Settings>(std::move(settings))) {
  for (const auto* service : methods_.services()) {
    services_.push_back(
        std::make_unique<RawService>(*service, service->full_name(), [&](const auto& rpc) {
          return std::any_of(methods_.all().begin(), methods_.all().end(),
                             [&](const Method& method) {
                               return &method.route.method() == &rpc && method.is_upload();
                             });
        }));
  }
}

void Calls::ServeOn(Shard& shard) {
  for (const Method& method : methods_.all()) {
    const bool has_images = method.is_upload() || method.is_frame_stream();
    Spawn(has_images ? ServeUpload(shard, method) : Serve(shard, method));
  }
}

void Calls::Replace(Settings settings) {
  admission_.SetCaps(settings.caps);
  auto replacement = std::make_shared<const Settings>(std::move(settings));
  const std::lock_guard lock(mutex_);
  settings_.swap(replacement);
}

std::shared_ptr<const Settings> Calls::settings() const {
  const std::lock_guard lock(mutex_);
  return settings_;
}

void Calls::Drain() {
  last_refused_ = Clock::now();
  draining_ = true;
}

Task<> Calls::Serve(Shard& shard, const Method& method) {
  Exchange exchange(shard);
  IncomingCall& call = exchange.call;
  RawService::UnaryWriter writer(&call.context);
  ServiceOf(method).RequestUnary(method.index_in_service, call.context, exchange.request_bytes,
                                 writer, shard.queue(), call.operation.tag());
  const bool matched = co_await call.operation;
  if (!matched) co_return;
  Spawn(Serve(shard, method));  // waits for the next one
  exchange.settings = settings();
  exchange.received_bytes = exchange.request_bytes.Length();
  co_await Answer(shard, method, exchange, writer);
  co_await call.done;
}

Task<> Calls::ServeUpload(Shard& shard, const Method& method) {
  Exchange exchange(shard);
  IncomingCall& call = exchange.call;
  RawService::UploadReader reader(&call.context);
  ServiceOf(method).RequestUpload(method.index_in_service, call.context, reader, shard.queue(),
                                  call.operation.tag());
  const bool matched = co_await call.operation;
  if (!matched) co_return;
  Spawn(ServeUpload(shard, method));
  exchange.settings = settings();
  if (method.is_frame_stream()) {
    exchange.frames.emplace(shard, reader, call.cancellation, frames_format_,
                            exchange.settings->frames);
  } else {
    exchange.requested.emplace(shard, reader, call.cancellation);
  }
  co_await Answer(shard, method, exchange, reader);
  Task<> ending = exchange.frames ? exchange.frames->End() : exchange.requested->End();
  co_await ending;
  co_await call.done;
}

template <typename Writer>
Task<> Calls::Answer(Shard& shard, const Method& method, Exchange& exchange, Writer& writer) {
  IncomingCall& call = exchange.call;
  const RunningCalls::Entry running(shard.running(), call.cancellation, method.is_frame_stream());
  const TimePoint began = Clock::now();
  telemetry_.series().Begun(method.index);
  exchange.request_id = RequestIdOf(call.context);
  exchange.place = PlaceOf(call.context);
  if (exchange.settings->propagates) {
    exchange.propagation = Propagation{exchange.place.trace, exchange.request_id};
  }

  const std::string& request_id = exchange.request_id;
  absl::Status status = co_await Run(shard, method, exchange);

  const int attempts = exchange.report.attempts;
  if (absl::IsCancelled(status) && running.is_cut_off()) status = CutOff(method, attempts);
  Tell(method, exchange, began, status);
  call.context.AddTrailingMetadata("x-request-id", request_id);
  call.context.AddTrailingMetadata("x-idv-attempts", std::to_string(attempts));
  if (status.ok() && !exchange.source.empty()) {
    call.context.AddTrailingMetadata("x-idv-cache", std::string(exchange.source));
  }
  if (status.ok()) {
    writer.Finish(exchange.shared_response != nullptr ? ToByteBuffer(exchange.shared_response)
                                                      : ToByteBuffer(exchange.response_bytes),
                  grpc::Status::OK, call.operation.tag());
  } else {
    AddRetryPushback(status, call.context);
    writer.FinishWithError(ToGrpc(status, request_id, attempts), call.operation.tag());
  }
  co_await call.operation;
}

Telemetry::Place Calls::PlaceOf(const grpc::ServerContext& context) const {
  const TraceHeaders headers = TraceHeadersOf(context);
  return telemetry_.Begin(headers.traceparent, headers.tracestate);
}

void Calls::Tell(const Method& method, const Exchange& exchange, TimePoint began,
                 const absl::Status& status) const {
  CallRecord record{.rpc = method.index, .began = began, .ended = Clock::now()};
  record.trace = exchange.place.trace;
  record.parent_span_id = exchange.place.parent_span_id;
  for (const Stretch& stretch : exchange.report.stretches) {
    record.stretches.push_back(ToRecord(stretch));
    if (stretch.kind == Stretch::Kind::kUpstream) record.http_status = stretch.http_status;
  }
  record.request_id = exchange.request_id;
  record.caller = exchange.identity;
  if (exchange.tenant != nullptr) record.tenant = exchange.tenant->name;
  record.priority = exchange.priority == Budget::Priority::kBatch ? "batch" : "interactive";
  record.code = static_cast<int>(status.code());
  if (!status.ok()) {
    const Failure failure = FailureOf(status);
    record.reason = telemetry_.series().Known(failure.reason);
    record.blame = NameOf(failure.blame);
  }
  record.attempts = exchange.report.attempts;
  if (status.ok()) record.cache = exchange.source;
  if (exchange.frames) {
    record.received_messages = exchange.frames->received().messages;
    record.received_bytes = exchange.frames->received().bytes;
  } else if (exchange.received_bytes) {
    record.received_messages = 1;
    record.received_bytes = *exchange.received_bytes;
  }
  if (status.ok()) {
    record.sent_bytes = exchange.shared_response != nullptr ? exchange.shared_response->size()
                                                            : exchange.response_bytes.size();
  }
  telemetry_.Ended(record);
}

Task<absl::Status> Calls::Run(Shard& shard, const Method& method, Exchange& exchange) {
  if (draining_) {
    last_refused_ = Clock::now();
    co_return Draining();
  }
  const TimePoint deadline = DeadlineOf(method, exchange.settings->limits, exchange.call.context);
  absl::Status authorized = Authorize(method, exchange);
  if (absl::IsUnauthenticated(authorized)) {
    const TimePoint asked = Clock::now();
    Task<bool> awaiting = AwaitNewKeys(shard, exchange, deadline);
    const bool may_have_changed = co_await awaiting;
    if (may_have_changed) {
      exchange.Spent(Stretch::Kind::kWait, asked);
      authorized = Authorize(method, exchange);
    }
  }
  if (!authorized.ok()) co_return authorized;
  if (exchange.requested) {
    const TimePoint asked = Clock::now();
    absl::Status received = co_await exchange.requested->Receive(exchange.request_bytes, deadline);
    exchange.Spent(Stretch::Kind::kReceive, asked);
    if (!received.ok()) co_return received;
    exchange.received_bytes = exchange.request_bytes.Length();
  }

  absl::StatusOr<Admission::Ticket> ticket = Admit(method, exchange);
  if (!ticket.ok()) co_return ticket.status();
  Admission::Ticket& held = exchange.ticket.emplace(*std::move(ticket));

  Task<absl::Status> running =
      exchange.frames ? RunFrames(shard, method, exchange, *exchange.frames, held, deadline)
                      : RunUnary(shard, method, exchange, deadline);
  absl::Status status = co_await running;
  co_return status;
}

absl::StatusOr<Admission::Ticket> Calls::Admit(const Method& method, const Exchange& exchange) {
  Admission::Share share{.caller = exchange.identity};
  if (exchange.tenant != nullptr) share.tenant = exchange.tenant->name;
  if (method.is_upload()) share.upload_bytes = exchange.request_bytes.Length();
  if (method.is_frame_stream()) {
    share.upload_bytes = FrameStream::LeastBytes(exchange.settings->frames);
  }
  return admission_.Admit(share);
}

Task<absl::Status> Calls::RunUnary(Shard& shard, const Method& method, Exchange& exchange,
                                   TimePoint deadline) {
  google::protobuf::Message& message = *method.request->New(&exchange.arena);
  absl::Status status = Parse(method, exchange, message);
  if (!status.ok()) co_return status;
  if (Clock::now() >= deadline) {
    co_return Fail(
        reason::kDeadlineInQueue,
        "the deadline had passed before anything was sent (20 ms of it are kept back for "
        "the reply)");
  }
  absl::StatusOr<RestRequest> request = Encode(method, exchange, message);
  if (!request.ok()) co_return request.status();
  if (exchange.tenant == nullptr) {
    SpanId span_id{};
    if (exchange.told() != nullptr) span_id = exchange.told()->AddTo(*request);
    Task<absl::Status> calling =
        shard.upstream().Call(method.route, *std::move(request), /*sender=*/nullptr, deadline,
                              exchange.call.cancellation, exchange.response_bytes, exchange.report);
    status = co_await calling;
    exchange.report.stretches.back().span_id = span_id;
  } else if (KindOf(method.route) == Account::Kind::kRead) {
    Task<absl::Status> reading = RunRead(shard, method, exchange, *std::move(request), deadline);
    status = co_await reading;
  } else {
    Task<absl::Status> writing =
        RunWrite(shard, method, exchange, message, *std::move(request), deadline);
    status = co_await writing;
  }
  co_return status;
}

absl::StatusOr<RestRequest> Calls::Encode(const Method& method, const Exchange& exchange,
                                          const google::protobuf::Message& message) {
  return method.route.Encode(message, method.is_upload() ? &exchange.upload.images() : nullptr);
}

Task<absl::Status> Calls::RunRead(Shard& shard, const Method& method, Exchange& exchange,
                                  RestRequest request, TimePoint deadline) {
  Task<ReadAnswer> reading = Read(shard,
                                  {.settings = exchange.settings,
                                   .tenant = exchange.tenant,
                                   .account = exchange.account,
                                   .method = &method,
                                   .caller = exchange.identity,
                                   .priority = exchange.priority,
                                   .deadline = deadline,
                                   .observers = &observers_,
                                   .propagation = exchange.propagation},
                                  std::move(request), exchange.call.cancellation);
  ReadAnswer answer = co_await reading;
  exchange.shared_response = std::move(answer.message);
  exchange.report.attempts = answer.attempts;
  for (const Stretch& stretch : answer.stretches) exchange.report.stretches.push_back(stretch);
  exchange.source = answer.cache;
  if (answer.status.ok()) {
    telemetry_.series().LookedUp(CacheOf(method.route), answer.cache);
  }
  co_return std::move(answer.status);
}

Task<absl::Status> Calls::RunWrite(Shard& shard, const Method& method, Exchange& exchange,
                                   const google::protobuf::Message& message, RestRequest request,
                                   TimePoint deadline) {
  const std::string target = request.target;
  std::optional<RestRequest> first = std::move(request);
  const auto make = [&]() -> absl::StatusOr<RestRequest> {
    if (first) return *std::exchange(first, std::nullopt);
    return Encode(method, exchange, message);  // a body is read once
  };
  const std::atomic<TimePoint> until = deadline;
  Task<absl::Status> running = RunErrand(
      shard, {.settings = *exchange.settings,
              .tenant = *exchange.tenant,
              .account = *exchange.account,
              .route = method.route,
              .request = make,
              .waiter = std::make_shared<Budget::Waiter>(exchange.identity, exchange.priority),
              .deadline = until,
              .cancel = exchange.call.cancellation,
              .on_send = {},
              .out = exchange.response_bytes,
              .report = exchange.report,
              .observers = observers_,
              .propagation = exchange.told()});
  absl::Status status = co_await running;
  NoteWrite(*exchange.account, target);
  co_return status;
}

// Frames that were sent cannot be sent again.
Task<absl::Status> Calls::RunFrames(Shard& shard, const Method& method, Exchange& exchange,
                                    FrameStream& frames, Admission::Ticket& ticket,
                                    TimePoint deadline) {
  Cancellation& cancel = exchange.call.cancellation;
  const std::optional<Sender> sender = exchange.tenant->keys->Best(Clock::now());
  if (!sender) co_return KeyMissing();
  const std::atomic<TimePoint> until = deadline;
  Stretches& stretches = exchange.report.stretches;
  const size_t before = stretches.size();
  Task<absl::StatusOr<Clearance>> clearing =
      Clearance::Await(*exchange.account, Account::Kind::kUpload,
                       std::make_shared<Budget::Waiter>(exchange.identity, exchange.priority),
                       shard.loop(), until, cancel, stretches);
  absl::StatusOr<Clearance> clearance = co_await clearing;
  TenantTally& tally = *exchange.tenant->tally;
  if (stretches.size() > before) tally.CountWait(LengthOf(stretches.back()));
  if (!clearance.ok()) co_return clearance.status();

  const FrameStream::Order order{
      .route = method.route,
      .sender = &*sender,
      .deadline = deadline,
      .ticket = ticket,
      .out = exchange.response_bytes,
      .report = exchange.report,
      .propagation = exchange.told(),
      .on_frame = [this](size_t bytes) { telemetry_.series().FrameSent(bytes); }};
  ++frame_streams_;
  Task<absl::Status> running = frames.Run(order);
  absl::Status status = co_await running;
  --frame_streams_;
  clearance->Settle(status, exchange.report, Clock::now());
  if (exchange.report.attempts > 0) tally.CountRequest(exchange.report.http_status);
  NoteWrite(*exchange.account, frames.target());
  if (exchange.report.is_key_refused()) {
    Task<std::optional<Sender>> looking =
        KeyInsteadOf(*sender, *exchange.tenant, shard.loop(), deadline, cancel);
    const std::optional<Sender> other = co_await looking;
    if (other) co_return KeyReplaced();
  }
  ReportKey(*exchange.tenant, exchange.report, report_key_);
  co_return status;
}

absl::Status Calls::Parse(const Method& method, Exchange& exchange,
                          google::protobuf::Message& request) const {
  const Config::Limits& limits = exchange.settings->limits;
  grpc::ByteBuffer& bytes = exchange.request_bytes;
  const size_t max_bytes =
      limits.max_message_bytes + (method.route.takes_images() ? limits.max_image_bytes : 0);
  if (bytes.Length() > max_bytes) {
    return Fail(reason::kMessageTooLarge,
                absl::StrCat("the message has ", bytes.Length(), " bytes; at most ", max_bytes,
                             " are taken"));
  }
  const bool parsed = method.is_upload()
                          ? exchange.upload.Parse(bytes, method.route.image_types(), request)
                          : ParseWhole(bytes, request);
  bytes.Clear();
  if (!parsed) {
    return Fail(reason::kRequestMalformed,
                absl::StrCat("the message is no ", request.GetDescriptor()->full_name(),
                             ", or a text in it is no UTF-8"));
  }
  const size_t image_bytes = exchange.upload.images().largest();
  if (image_bytes > limits.max_image_bytes) {
    return Fail(reason::kImageTooLarge,
                absl::StrCat("an image has ", image_bytes, " bytes; at most ",
                             limits.max_image_bytes, " are taken"));
  }
  return absl::OkStatus();
}

// False if the caller's token can be by none that its issuer has published meanwhile.
Task<bool> Calls::AwaitNewKeys(Shard& shard, Exchange& exchange, TimePoint deadline) {
  TokenVerifier* const tokens = exchange.settings->tokens.get();
  const std::optional<absl::string_view> token = TokenOf(exchange.call.context);
  if (tokens == nullptr || !token) co_return false;
  Task<bool> awaiting = AwaitRefresh(
      shard.loop(), deadline, exchange.call.cancellation,
      [tokens, token = *token](std::function<void()> on_done) {
        return tokens->AwaitNewKeys(token, TokenVerifier::WallClock::now(), std::move(on_done));
      });
  const bool was_awaited = co_await awaiting;
  co_return was_awaited;
}

absl::Status Calls::Authorize(const Method& method, Exchange& exchange) const {
  const grpc::ServerContext& context = exchange.call.context;
  const Settings& settings = *exchange.settings;
  absl::StatusOr<std::string> identity =
      IdentityOf(context, settings.callers, settings.tokens.get(), settings.policy);
  if (!identity.ok()) return identity.status();
  exchange.identity = *std::move(identity);

  const bool for_tenant = method.route.options().target() != kora::idv::gateway::v1::TARGET_HEALTH;
  const absl::StatusOr<std::string> asked_tenant = AskedTenantOf(context);
  if (!asked_tenant.ok()) return asked_tenant.status();
  const absl::StatusOr<Budget::Priority> priority = PriorityOf(context);
  if (!priority.ok()) return priority.status();
  exchange.priority = *priority;
  const Policy::Verdict verdict =
      for_tenant ? settings.policy.Authorize(exchange.identity, method.index, *asked_tenant)
                 : settings.policy.AuthorizeWithoutTenant(exchange.identity, method.index);
  switch (verdict.kind) {
    case Policy::Verdict::Kind::kAllowed:
      if (!for_tenant) return absl::OkStatus();
      exchange.tenant = &settings.tenants[verdict.tenant];
      exchange.account = settings.accounts[verdict.tenant];
      return absl::OkStatus();
    case Policy::Verdict::Kind::kCallerUnknown:
      return CallerUnknown();
    case Policy::Verdict::Kind::kMethodNotAllowed:
      return Fail(reason::kMethodNotAllowed, absl::StrCat("the caller may not call ", method.name));
    case Policy::Verdict::Kind::kTenantNotAllowed:
      return Fail(reason::kTenantNotAllowed,
                  "the caller may not act for the tenant that it names in x-idv-tenant");
    case Policy::Verdict::Kind::kTenantRequired:
      return Fail(reason::kTenantRequired, "name the tenant in the metadata x-idv-tenant");
  }
  return CallerUnknown();
}

}  // namespace idv
