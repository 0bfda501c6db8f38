#include "gateway/calls.h"

#include <absl/strings/str_cat.h>
#include <google/protobuf/arena.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

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

// Until the caller's deadline, if it has set one.
std::optional<std::chrono::nanoseconds> TimeLeft(const grpc::ServerContext& context) {
  const gpr_timespec left = gpr_convert_clock_type(context.raw_deadline(), GPR_TIMESPAN);
  if (gpr_time_cmp(left, gpr_inf_future(GPR_TIMESPAN)) == 0) return std::nullopt;
  // Callers may ask for millennia (99999999H), which are no number of nanoseconds.
  constexpr int64_t kYear = int64_t{365} * 24 * 3600;
  return std::chrono::seconds(std::clamp(left.tv_sec, -kYear, kYear)) +
         std::chrono::nanoseconds(left.tv_nsec);
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
  // Who calls.
  std::string identity;
  // For whom, by its place; nothing for a method that is for nobody.
  std::optional<size_t> tenant;
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

Calls::Calls(const Methods& methods, Options options)
    : methods_(methods),
      options_(std::move(options)),
      frames_format_(options_.frames.keys),
      admission_(options_.caps, options_.tenants.size()) {
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
  if (method.is_frame_stream()) {
    exchange.frames.emplace(shard, reader, call.cancellation, frames_format_, options_.frames);
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
  absl::Status authorized = Authorize(method, exchange);
  if (!authorized.ok()) co_return authorized;
  const TimePoint deadline = DeadlineOf(method, exchange.call.context);
  if (exchange.requested) {
    absl::Status received = co_await exchange.requested->Receive(exchange.request_bytes, deadline);
    if (!received.ok()) co_return received;
  }

  absl::StatusOr<Admission::Ticket> ticket = Admit(method, exchange);
  if (!ticket.ok()) co_return ticket.status();
  exchange.ticket.emplace(*std::move(ticket));

  const Sender* const sender = exchange.tenant ? &options_.tenants[*exchange.tenant] : nullptr;
  absl::Status status;
  if (exchange.frames) {
    const FrameStream::Order order{.route = method.route,
                                   .sender = sender,
                                   .deadline = deadline,
                                   .ticket = *exchange.ticket,
                                   .out = exchange.response_bytes,
                                   .report = exchange.report};
    status = co_await exchange.frames->Run(order);
  } else {
    status = co_await RunUnary(shard, method, exchange, sender, deadline);
  }
  co_return status;
}

absl::StatusOr<Admission::Ticket> Calls::Admit(const Method& method, const Exchange& exchange) {
  size_t upload_bytes = 0;
  if (method.is_upload()) upload_bytes = exchange.request_bytes.Length();
  if (method.is_frame_stream()) upload_bytes = FrameStream::LeastBytes(options_.frames);
  return admission_.Admit(
      {.caller = exchange.identity, .tenant = exchange.tenant, .upload_bytes = upload_bytes});
}

Task<absl::Status> Calls::RunUnary(Shard& shard, const Method& method, Exchange& exchange,
                                   const Sender* sender, TimePoint deadline) {
  google::protobuf::Message& message = *method.request->New(&exchange.arena);
  absl::Status parsed = Parse(method, exchange, message);
  if (!parsed.ok()) co_return parsed;
  absl::StatusOr<RestRequest> request =
      method.route.Encode(message, method.is_upload() ? &exchange.upload.images() : nullptr);
  if (!request.ok()) co_return request.status();

  if (Clock::now() >= deadline) {
    co_return Fail(
        reason::kDeadlineInQueue,
        "the deadline had passed before anything was sent (20 ms of it are kept back for "
        "the reply)");
  }
  absl::Status status = co_await shard.upstream().Call(method.route, *std::move(request), sender,
                                                       deadline, exchange.call.cancellation,
                                                       exchange.response_bytes, exchange.report);
  co_return status;
}

absl::Status Calls::Parse(const Method& method, Exchange& exchange,
                          google::protobuf::Message& request) const {
  const Config::Limits& limits = options_.limits;
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

absl::Status Calls::Authorize(const Method& method, Exchange& exchange) const {
  const grpc::ServerContext& context = exchange.call.context;
  absl::StatusOr<std::string> identity =
      IdentityOf(context, options_.callers, options_.tokens.get(), options_.policy);
  if (!identity.ok()) return identity.status();
  exchange.identity = *std::move(identity);

  const bool for_tenant = method.route.options().target() != kora::idv::gateway::v1::TARGET_HEALTH;
  const absl::StatusOr<std::string> asked_tenant = AskedTenantOf(context);
  if (!asked_tenant.ok()) return asked_tenant.status();
  const Policy::Verdict verdict =
      for_tenant ? options_.policy.Authorize(exchange.identity, method.index, *asked_tenant)
                 : options_.policy.AuthorizeWithoutTenant(exchange.identity, method.index);
  switch (verdict.kind) {
    case Policy::Verdict::Kind::kAllowed:
      if (for_tenant) exchange.tenant = verdict.tenant;
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

TimePoint Calls::DeadlineOf(const Method& method, const grpc::ServerContext& context) const {
  std::chrono::nanoseconds allowed = options_.limits.default_deadline;
  if (method.route.options().has_timeout()) {
    const auto& timeout = method.route.options().timeout();
    allowed = std::chrono::seconds(timeout.seconds()) + std::chrono::nanoseconds(timeout.nanos());
  }
  if (const auto left = TimeLeft(context)) allowed = *left - kReplyReserve;
  return Clock::now() + std::min<std::chrono::nanoseconds>(allowed, options_.limits.max_deadline);
}

}  // namespace idv
