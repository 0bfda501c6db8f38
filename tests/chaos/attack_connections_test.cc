// Far more connections than the gateway takes, opened and held.

#include <poll.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <thread>
#include <vector>

#include "tests/chaos/attack.h"
#include "tests/chaos/http2.h"
#include "tests/chaos/raw_connection.h"
#include "tests/chaos/size.h"

namespace idv::chaos {
namespace {

using std::chrono::steady_clock;

const size_t kConnections = Sized<size_t>(2'000, 10'000);
// limits.max_connections by default.
constexpr size_t kTaken = 1'000;
// Begun before those that are being made are looked after, for the listener's backlog.
constexpr size_t kBatch = 100;
// From one address, which has some 28,000 ports; those of the last wave may be blocked for a while.
constexpr size_t kFromOneAddress = 1'000;

// Of those that the gateway has taken. That they then all end in the same moment makes others wait
// for some 10 ms.
const auto kHold = Sized<std::chrono::seconds>(std::chrono::seconds(0), std::chrono::seconds(10));

using Connections = std::deque<RawConnection>;

// Reads of all, once there is something to read or a while has passed.
void ReadAll(Connections& connections) {
  std::vector<pollfd> polled;
  for (const RawConnection& connection : connections) {
    if (!connection.heard().closed) polled.push_back({connection.fd(), POLLIN, 0});
  }
  constexpr int kMillis = 10;
  poll(polled.data(), polled.size(), kMillis);
  for (RawConnection& connection : connections) connection.Read();
}

class ConnectionAttackTest : public AttackTest {
 protected:
  static void SetUpTestSuite() {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }

  // Holds them all until the gateway has answered or closed each.
  void Flood(AttackLog& log) {
    Connections connections;
    for (size_t i = 0; i < kConnections; ++i) {
      connections.emplace_back(address(), 2 + static_cast<int>(i / kFromOneAddress));
      if (i % kBatch == 0) ReadAll(connections);
    }
    const auto end = steady_clock::now() + std::chrono::seconds(10);
    while (!AllHaveHeard(connections) && steady_clock::now() < end) ReadAll(connections);
    for (RawConnection& connection : connections) connection.SendBlindly(http2::Greeting());
    std::this_thread::sleep_for(kHold);
    ReadAll(connections);
    size_t open = 0;
    for (const RawConnection& connection : connections) {
      if (!connection.heard().closed) ++open;
      log.Add(connection.heard());
    }
    EXPECT_LE(open, kTaken);
    most_open_ = std::max(most_open_, open);
  }

  // gRPC's server speaks first.
  static bool AllHaveHeard(const Connections& connections) {
    return std::all_of(connections.begin(), connections.end(), [](const RawConnection& connection) {
      return connection.heard().closed || connection.heard().settings;
    });
  }

  size_t most_open_ = 0;
};

TEST_F(ConnectionAttackTest, ThoseOverTheCapAreClosed) {
  Endure({.name = std::to_string(kConnections) + " connections",
          .wave = [&](AttackLog& log) { Flood(log); },
          // Some 30 KiB each.
          .memory_kib = kTaken * 40});
  // The cap has not been reached by another limit's doing.
  EXPECT_GT(most_open_, kTaken / 2);
}

}  // namespace
}  // namespace idv::chaos
