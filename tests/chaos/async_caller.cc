#include "tests/chaos/async_caller.h"

#include <grpcpp/alarm.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <utility>

namespace idv::chaos {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::steady_clock;

const char* NameOf(grpc::StatusCode code) {
  static constexpr std::array<const char*, 17> kNames = {"OK",
                                                         "CANCELLED",
                                                         "UNKNOWN",
                                                         "INVALID_ARGUMENT",
                                                         "DEADLINE_EXCEEDED",
                                                         "NOT_FOUND",
                                                         "ALREADY_EXISTS",
                                                         "PERMISSION_DENIED",
                                                         "RESOURCE_EXHAUSTED",
                                                         "FAILED_PRECONDITION",
                                                         "ABORTED",
                                                         "OUT_OF_RANGE",
                                                         "UNIMPLEMENTED",
                                                         "INTERNAL",
                                                         "UNAVAILABLE",
                                                         "DATA_LOSS",
                                                         "UNAUTHENTICATED"};
  const auto place = static_cast<size_t>(code);
  return place < kNames.size() ? kNames[place] : "no status";
}

}  // namespace

std::string EndingOf(const e2e::Outcome& outcome) {
  std::string name = NameOf(outcome.status.error_code());
  if (outcome.has_details) return name + " " + outcome.reason();
  // The library's own words for what it says itself, unless that is plain enough.
  const std::string& said = outcome.status.error_message();
  const bool plain = outcome.ok() || said.empty() ||
                     outcome.status.error_code() == grpc::StatusCode::CANCELLED ||
                     outcome.status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED;
  return plain ? name : name + " '" + said + "'";
}

size_t Endings::total() const { return times.size(); }

size_t Endings::count(const std::string& ending) const {
  const auto found = by_ending.find(ending);
  return found == by_ending.end() ? 0 : found->second;
}

microseconds Endings::Quantile(double share) const {
  if (times.empty()) return microseconds(0);
  std::vector<microseconds> sorted = times;
  const auto place = static_cast<size_t>(share * static_cast<double>(sorted.size()));
  const auto nth = sorted.begin() + static_cast<std::ptrdiff_t>(std::min(place, sorted.size() - 1));
  std::nth_element(sorted.begin(), nth, sorted.end());
  return *nth;
}

struct AsyncCaller::Call {
  grpc::ClientContext context;
  kora::idv::v1::Verification response;
  grpc::Status status;
  std::unique_ptr<grpc::ClientAsyncResponseReader<kora::idv::v1::Verification>> reader;
  grpc::Alarm cancel;
  Tag finish_tag{this, false};
  Tag cancel_tag{this, true};
  int tags_out = 1;
  steady_clock::time_point start = steady_clock::now();
  steady_clock::time_point end;
};

AsyncCaller::AsyncCaller(std::shared_ptr<grpc::Channel> channel, const std::string& verification_id)
    : stub_(kora::idv::v1::VerificationService::NewStub(std::move(channel))),
      collector_([this] { Collect(); }) {
  request_.set_verification_id(verification_id);
}

AsyncCaller::~AsyncCaller() {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [call, owner] : calls_) call->context.TryCancel();
  }
  Finish();
  queue_.Shutdown();
  collector_.join();
}

void AsyncCaller::Start(const e2e::CallOptions& options,
                        std::optional<std::chrono::milliseconds> cancel_after) {
  const std::lock_guard lock(mutex_);
  auto owner = std::make_unique<Call>();
  Call* const call = owner.get();
  calls_.emplace(call, std::move(owner));
  e2e::Prepare(options, call->context);
  if (cancel_after) ++call->tags_out;
  // Before the call, whose end is what the alarm is called off at.
  if (cancel_after) {
    call->cancel.Set(&queue_, std::chrono::system_clock::now() + *cancel_after, &call->cancel_tag);
  }
  call->reader = stub_->AsyncGetVerification(&call->context, request_, &queue_);
  call->reader->Finish(&call->response, &call->status, &call->finish_tag);
}

void AsyncCaller::AwaitAtMost(size_t under_way) {
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [&] { return calls_.size() <= under_way; });
}

Endings AsyncCaller::endings() const {
  const std::lock_guard lock(mutex_);
  return endings_;
}

Endings AsyncCaller::Finish() {
  AwaitAtMost(0);
  return endings();
}

void AsyncCaller::Collect() {
  void* place = nullptr;
  bool ok = false;
  while (queue_.Next(&place, &ok)) {
    // Start() is through with it.
    std::unique_lock(mutex_).unlock();
    const Tag& tag = *static_cast<const Tag*>(place);
    Call* const call = tag.call;
    if (tag.is_cancel) {
      call->context.TryCancel();
    } else {
      call->end = steady_clock::now();
      call->cancel.Cancel();
      Record(*call);
    }
    if (--call->tags_out == 0) Forget(call);
  }
}

void AsyncCaller::Record(const Call& call) {
  const auto outcome = e2e::Outcome::Of(call.status, call.context);
  const std::lock_guard lock(mutex_);
  ++endings_.by_ending[EndingOf(outcome)];
  if (outcome.ok()) ++endings_.served_by[call.context.peer()];
  endings_.times.push_back(duration_cast<microseconds>(call.end - call.start));
}

void AsyncCaller::Forget(Call* call) {
  {
    const std::lock_guard lock(mutex_);
    calls_.erase(call);
  }
  ended_.notify_all();
}

Pacer::Pacer(AsyncCaller& caller, int per_second, e2e::CallOptions options)
    : thread_([this, &caller, per_second, options = std::move(options)] {
        const auto period = std::chrono::nanoseconds(std::chrono::seconds(1)) / per_second;
        for (auto next = steady_clock::now(); !stopping_; next += period) {
          std::this_thread::sleep_until(next);
          caller.Start(options);
        }
      }) {}

Pacer::~Pacer() {
  stopping_ = true;
  thread_.join();
}

}  // namespace idv::chaos
