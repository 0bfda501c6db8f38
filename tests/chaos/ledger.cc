#include "tests/chaos/ledger.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/strip.h>

#include <iomanip>
#include <ostream>
#include <set>

#include "tests/chaos/async_caller.h"

namespace idv::chaos {
namespace {

constexpr size_t kMaxProblems = 20;
// A request that a kept connection lost before anything of a body was sent is repeated by libcurl,
// up to five times.
constexpr size_t kMostRepeats = 6;

std::string StatusOf(const std::string& ending) { return ending.substr(0, ending.find(' ')); }

bool IsFromAnAnswer(const e2e::Outcome& outcome) {
  return outcome.ok() || outcome.info.metadata().contains("http_status");
}

bool IsOf(const Rpc& rpc, const e2e::Json& request) {
  const std::string path = request["path"];
  return IsTo(rpc.endpoint, request["method"], std::string(absl::StripPrefix(path, "/api/v1/idv")));
}

}  // namespace

void Ledger::Begin(size_t rpc) {
  const std::lock_guard lock(mutex_);
  ++begun_;
  ++calls_[rpc].begun;
}

void Ledger::End(size_t rpc, const Circumstances& circumstances, const Ending& ending) {
  const std::string problem = Judge(rpcs_[rpc], circumstances, ending);
  const std::string how = EndingOf(ending.outcome);
  const std::string& name = rpcs_[rpc].method->name();
  const std::lock_guard lock(mutex_);
  ++ended_;
  ++by_method_[name][StatusOf(how)];
  ++by_ending_[how];
  took_ += ending.took;
  if (ending.outcome.status.error_code() == grpc::StatusCode::UNAVAILABLE &&
      !ending.outcome.has_details) {
    ++cut_;
  }
  if (IsFromAnAnswer(ending.outcome)) ++calls_[rpc].answered;
  if (ending.outcome.Trailer("x-idv-attempts") == "0") ++calls_[rpc].unsent;
  if (problem.empty()) return;
  Note(absl::StrCat(name, ", ", problem, ": ", testing::PrintToString(ending.outcome), " after ",
                    ending.took.count() / 1000, " ms of ", circumstances.timeout.count()));
}

void Ledger::Compare(const e2e::Json& requests) {
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < rpcs_.size(); ++i) {
    Calls& calls = calls_[i];
    for (const e2e::Json& request : requests) {
      if (!IsOf(rpcs_[i], request)) continue;
      ++calls.received;
      if (request["body_bytes"] > 0) ++calls.received_bodies;
    }
    const size_t sent = calls.begun - calls.unsent;
    if (calls.received < calls.answered || calls.received > sent * kMostRepeats ||
        calls.received_bodies > sent) {
      Note(absl::StrCat(rpcs_[i].method->name(), ": the upstream received ", calls.received,
                        " requests, ", calls.received_bodies, " with a body, answered ",
                        calls.answered, ", and was sent at most ", sent));
    }
  }
}

size_t Ledger::begun() const {
  const std::lock_guard lock(mutex_);
  return begun_;
}

size_t Ledger::ended() const {
  const std::lock_guard lock(mutex_);
  return ended_;
}

size_t Ledger::Count(const std::string& ending) const {
  const std::lock_guard lock(mutex_);
  const auto found = by_ending_.find(ending);
  return found == by_ending_.end() ? 0 : found->second;
}

size_t Ledger::Successes(const Rpc& rpc) const {
  const std::lock_guard lock(mutex_);
  const auto counts = by_method_.find(rpc.method->name());
  return counts == by_method_.end() || counts->second.count("OK") == 0 ? 0
                                                                       : counts->second.at("OK");
}

size_t Ledger::Cut() const {
  const std::lock_guard lock(mutex_);
  return cut_;
}

std::chrono::microseconds Ledger::took() const {
  const std::lock_guard lock(mutex_);
  return took_;
}

std::vector<std::string> Ledger::problems() const {
  const std::lock_guard lock(mutex_);
  return problems_;
}

void Ledger::Print(std::ostream& out) const {
  const std::lock_guard lock(mutex_);
  std::set<std::string> statuses;
  for (const auto& [ending, count] : by_ending_) statuses.insert(StatusOf(ending));
  out << std::left << std::setw(26) << "" << std::right;
  for (const std::string& status : statuses) out << std::setw(20) << status;
  out << "\n";
  for (const auto& [method, counts] : by_method_) {
    out << std::left << std::setw(26) << method << std::right;
    for (const std::string& status : statuses) {
      const auto count = counts.find(status);
      out << std::setw(20) << (count == counts.end() ? 0 : count->second);
    }
    out << "\n";
  }
  for (const auto& [ending, count] : by_ending_)
    out << std::setw(8) << count << " " << ending << "\n";
  Calls all;
  for (const Calls& calls : calls_) {
    all.received += calls.received;
    all.received_bodies += calls.received_bodies;
  }
  out << begun_ << " calls, " << ended_ << " statuses; the upstream received " << all.received
      << " requests, " << all.received_bodies << " with a body" << std::endl;
}

void Ledger::Note(const std::string& problem) {
  if (problems_.size() < kMaxProblems) problems_.push_back(problem);
}

}  // namespace idv::chaos
