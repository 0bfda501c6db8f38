#include "tests/chaos/async_caller.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <utility>

#include "kora/idv/v1/verification_service.pb.h"
#include "tests/chaos/messages.h"

namespace idv::chaos {
namespace {

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

AsyncCaller::AsyncCaller(std::shared_ptr<grpc::Channel> channel, const std::string& verification_id)
    : channel_(std::move(channel)), verification_id_(verification_id) {}

void AsyncCaller::Start(const e2e::CallOptions& options,
                        std::optional<std::chrono::milliseconds> cancel_after) {
  kora::idv::v1::GetVerificationRequest request;
  request.set_verification_id(verification_id_);
  calls_.Start({.channel = channel_,
                .rpc = "/kora.idv.v1.VerificationService/GetVerification",
                .request = ToByteBuffer(request),
                .options = options,
                .cancel_after = cancel_after},
               [this](const Ending& ending) { Record(ending); });
}

Endings AsyncCaller::endings() const {
  const std::lock_guard lock(mutex_);
  return endings_;
}

Endings AsyncCaller::Finish() {
  AwaitAtMost(0);
  return endings();
}

void AsyncCaller::Record(const Ending& ending) {
  const bool succeeded = ending.outcome.ok();
  kora::idv::v1::Verification verification;
  if (succeeded) {
    EXPECT_TRUE(FromByteBuffer(ending.response, verification));
    EXPECT_EQ(verification.id(), verification_id_);
  }
  const std::lock_guard lock(mutex_);
  ++endings_.by_ending[EndingOf(ending.outcome)];
  if (succeeded) ++endings_.served_by[ending.peer];
  endings_.times.push_back(ending.took);
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
