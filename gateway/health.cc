#include "gateway/health.h"

#include <absl/strings/str_cat.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <algorithm>
#include <utility>

#include "gateway/incoming_call.h"
#include "grpc/health/v1/health.pb.h"

namespace idv {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

constexpr int kCheck = 0;  // places in the descriptor
constexpr int kWatch = 1;

grpc::ByteBuffer ToBytes(HealthCheckResponse::ServingStatus status) {
  HealthCheckResponse response;
  response.set_status(status);
  const grpc::Slice slice(response.SerializeAsString());
  return {&slice, 1};
}

bool Parse(grpc::ByteBuffer& bytes, HealthCheckRequest& request) {
  grpc::ProtoBufferReader reader(&bytes);
  return request.ParseFromZeroCopyStream(&reader);
}

const google::protobuf::ServiceDescriptor& Descriptor() {
  return *HealthCheckRequest::descriptor()->file()->service(0);
}

}  // namespace

// Awaited by one watcher: ends when the health changes or the watcher goes.
class Health::OnShard::Change {
 public:
  explicit Change(OnShard& health) : health_(health) { health_.changes_.push_back(this); }
  ~Change() { std::erase(health_.changes_, this); }
  Change(const Change&) = delete;
  Change& operator=(const Change&) = delete;

  void Notify() {
    notified_ = true;
    if (waiter_) health_.shard_.loop().Resume(std::exchange(waiter_, nullptr));
  }

  bool await_ready() const { return notified_; }
  void await_suspend(std::coroutine_handle<> waiter) { waiter_ = waiter; }
  void await_resume() { notified_ = false; }

 private:
  OnShard& health_;
  bool notified_ = false;
  std::coroutine_handle<> waiter_;
};

Health::Health(std::vector<std::string> services)
    : services_(std::move(services)), service_(Descriptor()) {}

bool Health::Knows(const std::string& service) const {
  return service.empty() ||
         std::find(services_.begin(), services_.end(), service) != services_.end();
}

void Health::OnShard::Serve() {
  Spawn(ServeCheck());
  Spawn(ServeWatch());
}

bool Health::OnShard::IsServing(const std::string& service) const {
  if (is_stopping_) return false;
  if (serving_.empty()) return true;
  if (service.empty()) return std::find(serving_.begin(), serving_.end(), true) != serving_.end();
  const auto& services = health_.services_;
  const auto place = std::find(services.begin(), services.end(), service) - services.begin();
  return serving_[static_cast<size_t>(place)];
}

void Health::OnShard::Set(std::vector<bool> serving) {
  serving_ = std::move(serving);
  for (Change* change : changes_) change->Notify();
}

void Health::OnShard::StopServing() {
  is_stopping_ = true;
  for (Change* change : changes_) change->Notify();
}

Task<> Health::OnShard::ServeCheck() {
  IncomingCall call(shard_);
  grpc::ByteBuffer bytes;
  RawService::UnaryWriter writer(&call.context);
  health_.service_.RequestUnary(kCheck, call.context, bytes, writer, shard_.queue(),
                                call.operation.tag());
  const bool matched = co_await call.operation;
  if (!matched) co_return;
  Spawn(ServeCheck());

  HealthCheckRequest request;
  if (!Parse(bytes, request)) {
    writer.FinishWithError({grpc::StatusCode::INVALID_ARGUMENT, "not a HealthCheckRequest"},
                           call.operation.tag());
  } else if (!health_.Knows(request.service())) {
    writer.FinishWithError({grpc::StatusCode::NOT_FOUND, "this server has no such service"},
                           call.operation.tag());
  } else {
    writer.Finish(ToBytes(IsServing(request.service()) ? HealthCheckResponse::SERVING
                                                       : HealthCheckResponse::NOT_SERVING),
                  grpc::Status::OK, call.operation.tag());
  }
  co_await call.operation;
  co_await call.done;
}

Task<> Health::OnShard::ServeWatch() {
  IncomingCall call(shard_);
  grpc::ByteBuffer bytes;
  RawService::DownloadWriter writer(&call.context);
  health_.service_.RequestDownload(kWatch, call.context, bytes, writer, shard_.queue(),
                                   call.operation.tag());
  const bool matched = co_await call.operation;
  if (!matched) co_return;
  Spawn(ServeWatch());

  HealthCheckRequest request;
  const bool parsed = Parse(bytes, request);
  const bool known = health_.Knows(request.service());
  Change change(*this);
  const Cancellation::Listener on_cancel(call.cancellation, [&change] { change.Notify(); });
  bool open = parsed && !call.cancellation.fired();
  while (open) {
    const bool is_last = is_stopping_;
    const bool serving = known && IsServing(request.service());
    const auto status = !known    ? HealthCheckResponse::SERVICE_UNKNOWN
                        : serving ? HealthCheckResponse::SERVING
                                  : HealthCheckResponse::NOT_SERVING;
    writer.Write(ToBytes(status), call.operation.tag());
    const bool written = co_await call.operation;
    open = written && !is_last;
    const auto is_new = [&] {
      return is_stopping_ || (known && IsServing(request.service()) != serving);
    };
    while (open && !is_new() && !call.cancellation.fired()) co_await change;
    open = open && !call.cancellation.fired();
  }
  writer.Finish(parsed
                    ? grpc::Status(grpc::StatusCode::UNAVAILABLE, "shutting down")
                    : grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "not a HealthCheckRequest"),
                call.operation.tag());
  co_await call.operation;
  co_await call.done;
}

}  // namespace idv
