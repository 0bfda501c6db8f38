#include "gateway/verify/session.h"

#include <algorithm>
#include <utility>

#include "gateway/verify/channel.h"

namespace idv::verify {
namespace {

using std::chrono::nanoseconds;
using std::chrono::system_clock;

// Long enough for a gateway that is started in the same moment.
constexpr nanoseconds kConnectPatience = std::chrono::seconds(5);

}  // namespace

Session::Session(const Options& options, std::shared_ptr<grpc::Channel> channel)
    : options_(options), channel_(std::move(channel)) {}

std::optional<Failure> Session::Connect() const {
  const auto why = WhyUnreachable(channel_, std::min(kConnectPatience, Remaining()));
  if (!why) return std::nullopt;
  Failure failure;
  failure.code = "UNAVAILABLE";
  failure.message = "cannot reach the gateway at " + options_.target + ": " + *why;
  return failure;
}

nanoseconds Session::Remaining() const { return start_ + options_.timeout - Clock::now(); }

Failure Session::OutOfTime(const std::string& wanting) const {
  Failure failure;
  failure.code = "DEADLINE_EXCEEDED";
  failure.message = wanting + " when --timeout " + options_.timeout_text + " was over";
  return failure;
}

void Session::Prepare(grpc::ClientContext& context) const {
  context.set_deadline(system_clock::now() +
                       std::chrono::duration_cast<system_clock::duration>(Remaining()));
  if (!options_.tenant.empty()) context.AddMetadata("x-idv-tenant", options_.tenant);
  if (!options_.token.empty()) context.AddMetadata("authorization", "Bearer " + options_.token);
}

Failure Session::ExplainHere(const grpc::Status& status, const grpc::ClientContext& context) const {
  const bool ours = status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED &&
                    status.error_details().empty() && Remaining() <= nanoseconds::zero();
  return ours ? OutOfTime("the gateway had not answered") : Explain(status, context);
}

}  // namespace idv::verify
