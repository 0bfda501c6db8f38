// Calls with far more headers than anybody needs.

#include <gmock/gmock.h>

#include <chrono>
#include <string>
#include <vector>

#include "tests/chaos/attack.h"
#include "tests/chaos/http2.h"
#include "tests/chaos/raw_connection.h"

namespace idv::chaos {
namespace {

using http2::Headers;

constexpr size_t kMegabyte = 1'000'000;
constexpr char kRpc[] = "/kora.idv.v1.VerificationService/GetVerification";

// Of a whole call with these fields.
std::string BlockWith(const http2::Fields& more) {
  http2::Fields fields = http2::CallFields(kRpc);
  fields.insert(fields.end(), more.begin(), more.end());
  return http2::Block(fields);
}

std::string OneField() { return BlockWith({{"x-large", std::string(kMegabyte, 'x')}}); }

std::string ManyFields() {
  http2::Fields fields;
  for (size_t i = 0; i < kMegabyte / 50; ++i) {
    fields.emplace_back("x-field-" + std::to_string(i), std::string(32, 'x'));
  }
  return BlockWith(fields);
}

// A field of 4 kB that goes to the decoder's table, and out of it 250 times by a byte each.
std::string FieldsOutOfTheTable() {
  constexpr char kLiteralWithIndexing = 0x40;
  constexpr char kFirstOfTheTable = static_cast<char>(0x80 | 62);
  std::string field = http2::Block({{"x-large", std::string(4'000, 'x')}});
  field[0] = kLiteralWithIndexing;
  return BlockWith({}) + field + std::string(250, kFirstOfTheTable);
}

// CVE-2024-27316 and its kin: the end of the headers never comes.
std::string SmallContinuationsWithoutEnd() {
  constexpr size_t kFrameBytes = 16;
  std::string frames = http2::Frame(http2::Type::kHeaders, 0, 1, BlockWith({}));
  const std::string field = http2::Block({{"a", std::string(kFrameBytes - 4, 'x')}});
  const std::string frame = http2::Frame(http2::Type::kContinuation, 0, 1, field);
  for (size_t bytes = 0; bytes < kMegabyte; bytes += kFrameBytes) frames += frame;
  return frames;
}

class HeaderAttackTest : public AttackTest {
 protected:
  // `acknowledges`: the gateway's SETTINGS, which say how much it takes.
  std::vector<Attack> Attacks(bool acknowledges) {
    const std::string message =
        http2::Frame(http2::Type::kData, http2::kEndStream, 1, http2::Message("\x0a\x04some"));
    std::vector<Attack> attacks;
    const auto add = [&](const std::string& name, const std::string& frames) {
      const auto send = [this, acknowledges, frames](AttackLog& log) {
        SendOnNewConnection(frames, acknowledges, log);
      };
      attacks.push_back({.name = name, .wave = send, .memory_kib = 16 * kKibPerMib});
    };
    add("1 MB of headers, one field", Headers(1, OneField()) + message);
    add("1 MB of headers, many fields", Headers(1, ManyFields()) + message);
    add("1 MB of headers out of 4 kB", Headers(1, FieldsOutOfTheTable()) + message);
    add("1 MB of headers, by 16 bytes, no end", SmallContinuationsWithoutEnd());
    return attacks;
  }

 private:
  void SendOnNewConnection(const std::string& frames, bool acknowledges, AttackLog& log) {
    RawConnection connection(address());
    if (acknowledges) {
      connection.Greet();
    } else {
      connection.Send(http2::Greeting());
    }
    connection.Send(frames);
    // Headers without an end make a slow sender, of which there is a test of its own.
    connection.AwaitEnding(std::chrono::milliseconds(300));
    log.Add(connection.heard());
  }
};

TEST_F(HeaderAttackTest, HarmsNobody) { EndureAll(Attacks(/*acknowledges=*/true)); }

// The longest one of the standard is 11,400 years.
TEST_F(HeaderAttackTest, LongTimeoutsAreTaken) {
  for (const std::string timeout : {"99999999H", "2562047H", "99999999M", "99999999S"}) {
    RawConnection connection(address());
    connection.Greet();
    const std::string headers = Headers(1, BlockWith({{"grpc-timeout", timeout}}));
    connection.Send(headers + http2::Frame(http2::Type::kData, http2::kEndStream, 1,
                                           http2::Message("\x0a\x04some")));
    connection.ReadUntil([](const Heard& heard) { return !heard.grpc_statuses.empty(); });

    EXPECT_THAT(connection.heard().grpc_statuses, testing::ElementsAre("5")) << timeout;
  }
}

// gRPC 1.51 enforces its SETTINGS only from when they are acknowledged, so that these calls are
// served as if nothing were the matter.
TEST_F(HeaderAttackTest, HarmsNobodyThoughSettingsAreNotAcknowledged) {
  EndureAll(Attacks(/*acknowledges=*/false));
}

}  // namespace
}  // namespace idv::chaos
