#include "tests/bench/storm/asker.h"

#include <absl/strings/numbers.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace idv::bench::storm {
namespace {

using std::chrono::milliseconds;

constexpr auto kUntoldWait = std::chrono::seconds(1);

bool IsForNow(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return true;
    default:
      return false;
  }
}

// What a failure says of when to come again.
milliseconds WaitAfter(const e2e::Outcome& outcome) {
  int pushback_ms = -1;
  const std::optional<std::string> pushback = outcome.Trailer("grpc-retry-pushback-ms");
  if (pushback && absl::SimpleAtoi(*pushback, &pushback_ms) && pushback_ms >= 0) {
    return milliseconds(pushback_ms);
  }
  if (!outcome.retry_info) return kUntoldWait;
  const google::protobuf::Duration& delay = outcome.retry_info->retry_delay();
  return std::chrono::seconds(delay.seconds()) + milliseconds(delay.nanos() / 1'000'000);
}

}  // namespace

Asker::Asker(CallLoop& loop, std::shared_ptr<grpc::Channel> channel, const Terms& terms,
             Tally& tally)
    : end_(terms.end),
      options_{.metadata = {{"x-idv-priority", terms.priority}}, .timeout = terms.deadline},
      tally_(tally),
      line_(loop, std::move(channel)) {}

void Asker::Ask(Request request, std::function<void(const grpc::ByteBuffer*)> then) {
  if (Clock::now() >= end_) return;
  request_ = std::move(request);
  then_ = std::move(then);
  since_ = Clock::now();
  tries_ = 0;
  Try();
}

void Asker::Pause(Clock::duration duration, std::function<void()> then) {
  if (Clock::now() + duration < end_) line_.Wait(duration, std::move(then));
}

void Asker::Try() {
  ++tries_;
  line_.Call(request_, options_, [this](const Answer& answer) { OnAnswer(answer); });
}

void Asker::OnAnswer(const Answer& answer) {
  if (!answer.outcome.ok()) return OnFailure(answer.outcome);
  tally_.AddAnswer(Clock::now() - since_, tries_);
  std::exchange(then_, nullptr)(&answer.message);
}

void Asker::OnFailure(const e2e::Outcome& outcome) {
  const TimePoint now = Clock::now();
  // Cancelled by this program, at the end.
  if (outcome.status.error_code() == grpc::StatusCode::CANCELLED && now >= end_) {
    return tally_.AddUnanswered(now - since_, tries_);
  }
  tally_.AddFailure(outcome);
  if (!IsForNow(outcome.status)) {
    tally_.AddUnanswered(now - since_, tries_);
    return std::exchange(then_, nullptr)(nullptr);
  }
  const milliseconds wait = WaitAfter(outcome);
  if (now + wait >= end_) return tally_.AddUnanswered(std::max(now, end_) - since_, tries_);
  line_.Wait(wait, [this] { Try(); });
}

}  // namespace idv::bench::storm
