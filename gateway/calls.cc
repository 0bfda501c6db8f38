#include "gateway/calls.h"

#include <absl/strings/str_cat.h>
#include <google/protobuf/arena.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "gateway/await_refresh.h"
#include "gateway/image_message.h"
#include "gateway/incoming_call.h"
#include "gateway/metadata.h"
#include "gateway/requested_message.h"
#include "gateway/status.h"
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

absl::Status KeyMissing() {
  return Fail(reason::kTenantCredentialMissing,
              "this gateway has no API key for the tenant; its log says why",
              {.never_retry = true});
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
  // An upload's message, which is not read before it is asked for.
  std::optional<RequestedMessage> requested;
  grpc::ByteBuffer request_bytes;
  // The same with its images, once it is read.
  ImageMessage upload;
  std::optional<FrameStream> frames;
  google::protobuf::Arena arena;
  std::string response_bytes;
  CallReport report;
  std::optional<Admission::Ticket> ticket;
};

Calls::Calls(const Methods& methods, Settings settings, KeyReporter report_key)
    : methods_(methods),
      report_key_(std::move(report_key)),
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

  const std::string request_id = RequestIdOf(call.context);
  absl::Status status = co_await Run(shard, method, exchange);

  const int attempts = exchange.report.attempts;
  if (absl::IsCancelled(status) && running.is_cut_off()) status = CutOff(method, attempts);
  call.context.AddTrailingMetadata("x-request-id", request_id);
  call.context.AddTrailingMetadata("x-idv-attempts", std::to_string(attempts));
  if (status.ok()) {
    writer.Finish(ToByteBuffer(exchange.response_bytes), grpc::Status::OK, call.operation.tag());
  } else {
    AddRetryPushback(status, call.context);
    writer.FinishWithError(ToGrpc(status, request_id, attempts), call.operation.tag());
  }
  co_await call.operation;
}

Task<absl::Status> Calls::Run(Shard& shard, const Method& method, Exchange& exchange) {
  if (draining_) {
    last_refused_ = Clock::now();
    co_return Draining();
  }
  const TimePoint deadline = DeadlineOf(method, exchange.settings->limits, exchange.call.context);
  absl::Status authorized = Authorize(method, exchange);
  if (absl::IsUnauthenticated(authorized)) {
    Task<bool> awaiting = AwaitNewKeys(shard, exchange, deadline);
    const bool may_have_changed = co_await awaiting;
    if (may_have_changed) authorized = Authorize(method, exchange);
  }
  if (!authorized.ok()) co_return authorized;
  if (exchange.requested) {
    absl::Status received = co_await exchange.requested->Receive(exchange.request_bytes, deadline);
    if (!received.ok()) co_return received;
  }

  absl::StatusOr<Admission::Ticket> ticket = Admit(method, exchange);
  if (!ticket.ok()) co_return ticket.status();
  exchange.ticket.emplace(*std::move(ticket));
  std::optional<Sender> sender;
  if (exchange.tenant != nullptr) {
    sender = exchange.tenant->keys->Best(Clock::now());
    if (!sender) co_return KeyMissing();
  }

  absl::Status status;
  if (exchange.frames && sender) {
    const FrameStream::Order order{.route = method.route,
                                   .sender = &*sender,
                                   .deadline = deadline,
                                   .ticket = *exchange.ticket,
                                   .out = exchange.response_bytes,
                                   .report = exchange.report};
    status = co_await RunFrames(shard, exchange, *exchange.frames, order);
  } else {
    status = co_await RunUnary(shard, method, exchange, std::move(sender), deadline);
  }
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
                                   std::optional<Sender> sender, TimePoint deadline) {
  google::protobuf::Message& message = *method.request->New(&exchange.arena);
  absl::Status status = Parse(method, exchange, message);
  if (!status.ok()) co_return status;
  if (Clock::now() >= deadline) {
    co_return Fail(
        reason::kDeadlineInQueue,
        "the deadline had passed before anything was sent (20 ms of it are kept back for "
        "the reply)");
  }
  Cancellation& cancel = exchange.call.cancellation;
  for (bool is_last = false;; is_last = true) {
    absl::StatusOr<RestRequest> request =
        method.route.Encode(message, method.is_upload() ? &exchange.upload.images() : nullptr);
    if (!request.ok()) co_return request.status();
    Task<absl::Status> calling =
        shard.upstream().Call(method.route, *std::move(request), sender ? &*sender : nullptr,
                              deadline, cancel, exchange.response_bytes, exchange.report);
    status = co_await calling;
    if (!sender || is_last || !exchange.report.is_key_refused()) break;

    Task<std::optional<Sender>> looking =
        KeyInsteadOf(*sender, *exchange.tenant, shard.loop(), deadline, cancel);
    sender = co_await looking;
    if (cancel.fired()) co_return status;
    if (!sender) break;
  }
  ReportKey(exchange);
  co_return status;
}

// Frames that were sent cannot be sent again.
Task<absl::Status> Calls::RunFrames(Shard& shard, Exchange& exchange, FrameStream& frames,
                                    FrameStream::Order order) {
  Task<absl::Status> running = frames.Run(order);
  absl::Status status = co_await running;
  if (exchange.report.is_key_refused()) {
    Task<std::optional<Sender>> looking = KeyInsteadOf(
        *order.sender, *exchange.tenant, shard.loop(), order.deadline, exchange.call.cancellation);
    const std::optional<Sender> other = co_await looking;
    if (other) co_return KeyReplaced();
  }
  ReportKey(exchange);
  co_return status;
}

void Calls::ReportKey(const Exchange& exchange) const {
  if (exchange.tenant == nullptr || exchange.report.http_status == 0) return;
  const bool is_refused = exchange.report.is_key_refused();
  TenantKeys& keys = *exchange.tenant->keys;
  const bool is_news = is_refused ? keys.Refused(Clock::now()) : keys.Accepted();
  if (is_news) report_key_(*exchange.tenant, is_refused);
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
  const Policy::Verdict verdict =
      for_tenant ? settings.policy.Authorize(exchange.identity, method.index, *asked_tenant)
                 : settings.policy.AuthorizeWithoutTenant(exchange.identity, method.index);
  switch (verdict.kind) {
    case Policy::Verdict::Kind::kAllowed:
      if (for_tenant) exchange.tenant = &settings.tenants[verdict.tenant];
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
