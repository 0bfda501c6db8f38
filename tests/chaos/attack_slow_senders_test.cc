// Clients that send a byte now and then, hundreds at once.

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "tests/chaos/attack.h"
#include "tests/chaos/http2.h"
#include "tests/chaos/raw_connection.h"
#include "tests/chaos/size.h"

namespace idv::chaos {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr char kRpc[] = "/kora.idv.v1.VerificationService/GetVerification";

const size_t kSenders = Sized<size_t>(200, 800);
constexpr milliseconds kBetweenBytes{100};
// No faster than the gateway takes connections: a crowd at its door is the attack of connections.
constexpr milliseconds kBetweenSenders{2};
// The gateway gives them up when their connection is of age, and its grace is over.
constexpr std::chrono::seconds kPatience{15};

struct Kind {
  std::string name;
  std::string at_once;
  std::string by_bytes;  // but the last never comes
};

std::vector<Kind> Kinds() {
  const std::string preface(http2::kPreface);
  const std::string headers = http2::Headers(1, http2::Block(http2::CallFields(kRpc)));
  const std::string message = http2::Frame(http2::Type::kData, http2::kEndStream, 1,
                                           http2::Message(std::string(1000, 'x')));
  return {{"preface", "", preface},
          {"SETTINGS", preface, http2::Settings({{3, 100}, {4, 65'535}, {5, 16'384}})},
          {"headers", http2::Greeting(), headers},
          {"message", http2::Greeting() + headers, message}};
}

struct Sender {
  Sender(const std::string& address, const Kind& its_kind) : kind(its_kind), connection(address) {
    connection.Send(kind.at_once);
  }
  void Drip(size_t place) {
    if (place + 1 < kind.by_bytes.size()) connection.SendBlindly({&kind.by_bytes[place], 1});
    connection.Read();
  }

  const Kind& kind;
  RawConnection connection;
};

class SlowSenderAttackTest : public AttackTest {
 protected:
  void Configure(e2e::Json& config) const override {
    config["connection"] = {{"max_age", "2s"}, {"max_age_grace", "1s"}};
  }

  // Until the gateway has given them all up.
  void SendSlowly(AttackLog& log) {
    std::deque<Sender> senders;
    for (size_t i = 0; i < kSenders; ++i) {
      senders.emplace_back(address(), kinds_[i % kinds_.size()]);
      std::this_thread::sleep_for(kBetweenSenders);
    }
    const auto is_closed = [](const Sender& sender) { return sender.connection.heard().closed; };
    const auto end = steady_clock::now() + kPatience;
    for (size_t place = 0; !std::all_of(senders.begin(), senders.end(), is_closed); ++place) {
      if (steady_clock::now() > end) break;
      for (Sender& sender : senders) sender.Drip(place);
      std::this_thread::sleep_for(kBetweenBytes);
    }
    for (const Sender& sender : senders) {
      EXPECT_TRUE(is_closed(sender)) << sender.kind.name;
      AttackLog one;
      one.Add(sender.connection.heard());
      log.Add(sender.kind.name, one);
    }
  }

  const std::vector<Kind> kinds_ = Kinds();
};

TEST_F(SlowSenderAttackTest, AreGivenUp) {
  Endure({.name = std::to_string(kSenders) + " slow senders",
          .wave = [&](AttackLog& log) { SendSlowly(log); },
          .memory_kib = kSenders * 40});
}

}  // namespace
}  // namespace idv::chaos
