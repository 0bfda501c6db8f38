#include "tests/chaos/storm.h"

#include <thread>
#include <utility>

namespace idv::chaos {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr size_t kMostInFlight = 100;
constexpr size_t kConnections = 4;
constexpr milliseconds kBetweenCalls{1};
constexpr milliseconds kBetweenFaults{80};
constexpr milliseconds kBetweenDrops{300};
// Without a delay there would be few calls in flight.
constexpr milliseconds kDelay{150};
// More than any deadline, and what a busy machine needs.
constexpr seconds kUntilStuck{30};

std::vector<std::string> EndpointsOf(const std::vector<Rpc>& rpcs) {
  std::vector<std::string> endpoints;
  endpoints.reserve(rpcs.size());
  for (const Rpc& rpc : rpcs) endpoints.push_back(rpc.endpoint);
  return endpoints;
}

// Comes up every so often.
class Pulse {
 public:
  explicit Pulse(milliseconds period) : period_(period), next_(steady_clock::now() + period) {}

  bool IsDue() {
    const auto now = steady_clock::now();
    if (now < next_) return false;
    next_ = now + period_;
    return true;
  }

 private:
  const milliseconds period_;
  steady_clock::time_point next_;
};

}  // namespace

Storm::Storm(uint64_t seed, const e2e::Sandbox& upstream, std::string address)
    : upstream_(upstream),
      address_(std::move(address)),
      random_calls_(seed, rpcs_),
      faults_(seed + 1, EndpointsOf(rpcs_)),
      random_(seed + 2) {
  while (connections_.size() < kConnections) connections_.push_back(NewConnection());
}

bool Storm::Rage(const Subjects& subjects, milliseconds time) {
  const auto start = steady_clock::now();
  upstream_.AddFault({{"kind", "latency"}, {"milliseconds", kDelay.count()}});
  Pulse fault(kBetweenFaults);
  Pulse drop(kBetweenDrops);
  while (steady_clock::now() < start + time && calls_.AwaitAtMost(kMostInFlight - 1, kUntilStuck)) {
    Call(subjects);
    if (fault.IsDue()) upstream_.AddFault(faults_.Next());
    if (drop.IsDue()) Drop();
    std::this_thread::sleep_for(kBetweenCalls);
  }
  const bool over = calls_.AwaitAtMost(0, kUntilStuck);
  upstream_.ClearFaults();
  raged_ += steady_clock::now() - start;
  return over;
}

std::unique_ptr<CuttableConnection> Storm::NewConnection() const {
  return std::make_unique<CuttableConnection>(address_);
}

void Storm::Call(const Subjects& subjects) {
  const RandomCall call = random_calls_.Next(subjects);
  const CuttableConnection& connection = *random_.Pick(connections_);
  ledger_.Begin(call.rpc);
  calls_.Start(
      {.channel = connection.channel(),
       .rpc = rpcs_[call.rpc].path,
       .request = call.request,
       .options = {.timeout = call.timeout},
       .cancel_after = call.cancel_after},
      [this, rpc = call.rpc, timeout = call.timeout, is_cancelled = call.cancel_after.has_value(),
       is_cut = connection.is_cut()](const Ending& ending) {
        ledger_.End(rpc, {timeout, is_cancelled, *is_cut}, ending);
      });
}

// Cuts a connection under its calls, or leaves it to them.
void Storm::Drop() {
  auto& connection = connections_[random_.Below(kConnections)];
  const size_t how = random_.Below(3);
  if (how == 0) connection->Cut(CuttableConnection::End::kFin);
  if (how == 1) connection->Cut(CuttableConnection::End::kRst);
  connection = NewConnection();
}

}  // namespace idv::chaos
