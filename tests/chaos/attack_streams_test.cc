// Very many streams: reset as soon as they have begun (CVE-2023-44487), or held.

#include <functional>
#include <string>
#include <vector>

#include "tests/chaos/attack.h"
#include "tests/chaos/http2.h"
#include "tests/chaos/raw_connection.h"
#include "tests/chaos/size.h"
#include "tests/e2e/process.h"

namespace idv::chaos {
namespace {

const size_t kResets = Sized<size_t>(5'000, 100'000);
const size_t kHeld = Sized<size_t>(2'000, 20'000);
constexpr size_t kBatch = 250;
constexpr uint32_t kCancel = 8;
// What gRPC holds for a stream.
constexpr size_t kKibPerStream = 16;
constexpr char kRpc[] = "/kora.idv.v1.VerificationService/GetVerification";

class StreamAttackTest : public AttackTest {
 protected:
  using MakeFrames = std::function<std::string(uint32_t stream)>;

  void Configure(e2e::Json& config) const override {
    config["listen"]["grpc"] = {"127.0.0.1:0", "unix:" + socket_};
  }

  std::string unix_address() const { return "unix:" + socket_; }

  // What the client sends for each of the streams, one after the other.
  static void Send(RawConnection& connection, size_t streams, const MakeFrames& frames) {
    uint32_t stream = 1;
    bool is_open = true;
    for (size_t sent = 0; sent < streams && is_open; sent += kBatch) {
      std::string batch;
      for (size_t i = 0; i < kBatch; ++i, stream += 2) batch += frames(stream);
      is_open = connection.Send(batch);
    }
    connection.RoundTrip();
  }

  static std::string Begin(uint32_t stream) {
    static const std::string block = http2::Block(http2::CallFields(kRpc));
    return http2::Headers(stream, block);
  }

  Attack Resets(const std::string& name, const std::string& to, const MakeFrames& call) {
    const auto reset = [this, to, call](AttackLog& log) {
      RawConnection connection(to.empty() ? address() : to);
      connection.Greet();
      Send(connection, kResets,
           [&](uint32_t stream) { return call(stream) + http2::RstStream(stream, kCancel); });
      log.Add(connection.heard());
    };
    return {.name = std::to_string(kResets) + " resets " + name,
            .wave = reset,
            // Of the streams that one turn of the connection brings.
            .memory_kib = 16 * kKibPerMib};
  }

 private:
  const e2e::TempDir dir_;
  const std::string socket_ = dir_.Path("gateway.sock");
};

TEST_F(StreamAttackTest, ResetsHarmNobody) {
  const auto call = [](uint32_t stream) { return http2::Call(stream, kRpc, "\x0a\x04some"); };

  EndureAll({Resets("after HEADERS", "", Begin), Resets("after whole calls", "", call),
             Resets("over a unix socket", unix_address(), Begin)});
}

TEST_F(StreamAttackTest, StreamsOverTheCapAreRefused) {
  const auto hold = [this](AttackLog& log) {
    RawConnection connection(address());
    connection.Greet();
    Send(connection, kHeld, Begin);
    log.Add(connection.heard());
  };

  Endure({.name = std::to_string(kHeld) + " streams held",
          .wave = hold,
          // limits.max_streams_per_connection is 256.
          .memory_kib = 256 * kKibPerStream + 4 * kKibPerMib,
          // gRPC ends a connection that goes over it, with all of its calls in one go.
          .costs_others_time = true});
}

// The cap is in the gateway's SETTINGS, which gRPC 1.51 enforces only from when they are
// acknowledged: whoever does not is stopped by nothing but the machine's memory, and others wait
// while gRPC ends all these streams at once.
TEST_F(StreamAttackTest, StreamsTakeTheirMemoryWhereSettingsAreNotAcknowledged) {
  const auto hold = [this](AttackLog& log) {
    RawConnection connection(address());
    connection.Send(http2::Greeting());
    Send(connection, kHeld, Begin);
    log.Add(connection.heard());
  };

  Endure({.name = std::to_string(kHeld) + " streams held, SETTINGS not acknowledged",
          .wave = hold,
          .memory_kib = kHeld * kKibPerStream + 4 * kKibPerMib,
          .costs_others_time = true});
}

}  // namespace
}  // namespace idv::chaos
