// Frames that cost the sender next to nothing, at full speed.

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "tests/chaos/attack.h"
#include "tests/chaos/http2.h"
#include "tests/chaos/raw_connection.h"
#include "tests/chaos/size.h"

namespace idv::chaos {
namespace {

using http2::Frame;
using http2::Type;

const size_t kFrames = Sized<size_t>(10'000, 500'000);
constexpr size_t kBatch = 500;
// gRPC 1.51 keeps up to 10,000 answers for a connection that reads none, then reads it no more.
const size_t kMemoryKib = Sized<size_t>(4, 16) * kKibPerMib;
constexpr char kRpc[] = "/kora.idv.v1.VerificationService/GetVerification";

struct Flood {
  std::string name;
  std::string before;
  std::string frame;
  // Leaves unread what the gateway answers, which then has to keep it.
  bool is_deaf = false;
};

std::vector<Flood> Floods() {
  const std::string ping = Frame(Type::kPing, 0, 0, "whatever");
  const std::string settings = http2::Settings({{4, 65'535}});
  const std::string block = http2::Block(http2::CallFields(kRpc));
  return {
      {"PING", "", ping},
      {"PING, no answer read", "", ping, true},
      {"SETTINGS", "", settings},
      {"SETTINGS, no answer read", "", settings, true},
      {"WINDOW_UPDATE", "", http2::WindowUpdate(0, 1)},
      {"PRIORITY", "", Frame(Type::kPriority, 0, 1, std::string_view("\0\0\0\3\0", 5))},
      {"empty DATA", http2::Headers(1, block), Frame(Type::kData, 0, 1)},
      {"empty CONTINUATION", Frame(Type::kHeaders, 0, 1, block), Frame(Type::kContinuation, 0, 1)},
      {"frames of an unknown type", "", Frame(static_cast<Type>(0xbe), 0, 0, "whatever")},
  };
}

class FloodAttackTest : public AttackTest {
 protected:
  Attack MakeAttack(const Flood& flood) {
    return {.name = "flood of " + flood.name,
            .wave = [this, flood](AttackLog& log) { Send(flood, log); },
            .memory_kib = kMemoryKib};
  }

 private:
  void Send(const Flood& flood, AttackLog& log) {
    RawConnection connection(address());
    connection.Greet();
    connection.Send(flood.before);
    std::string batch;
    for (size_t i = 0; i < kBatch; ++i) batch += flood.frame;
    bool taken = true;
    for (size_t sent = 0; sent < kFrames && taken; sent += kBatch) {
      taken = flood.is_deaf ? connection.SendDeaf(batch, std::chrono::milliseconds(500))
                            : connection.Send(batch);
    }
    connection.Read();
    log.Add(connection.heard());
  }
};

TEST_F(FloodAttackTest, HarmsNobody) {
  std::vector<Attack> attacks;
  for (const Flood& flood : Floods()) attacks.push_back(MakeAttack(flood));

  EndureAll(attacks);
}

}  // namespace
}  // namespace idv::chaos
