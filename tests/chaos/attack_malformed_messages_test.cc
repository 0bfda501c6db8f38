// Messages that are none, to every unary RPC.

#include <gmock/gmock.h>

#include <random>
#include <string>
#include <vector>

#include "gateway/services.h"
#include "tests/chaos/async_caller.h"
#include "tests/chaos/attack.h"
#include "tests/chaos/size.h"
#include "tests/e2e/call.h"
#include "tests/e2e/gateway.h"

namespace idv::chaos {
namespace {

std::vector<std::string> UnaryRpcs() {
  std::vector<std::string> rpcs;
  for (const auto* service : ServedServices()) {
    for (int i = 0; i < service->method_count(); ++i) {
      const auto* method = service->method(i);
      if (method->client_streaming()) continue;
      rpcs.push_back("/" + service->full_name() + "/" + method->name());
    }
  }
  return rpcs;
}

// Not protobuf's wire format, whatever the type.
std::vector<std::string> NoMessages() {
  return {
      "\xff\xff\xff",               // a tag that does not end
      std::string(11, '\xff'),      // a tag over 64 bits
      std::string(2, '\0'),         // field 0
      "\x0a\x7fxx",                 // a length beyond the end
      "\x0a\xff\xff\xff\xff\x0f",   // a length over 2 GiB
      "\x0c",                       // the end of a group that did not begin
      "\x0f",                       // a wire type that does not exist
      std::string(10'000, '\x0b'),  // groups within groups
  };
}

class MalformedMessageTest : public AttackTest {
 protected:
  std::string RandomBytes() {
    std::string bytes(random_() % 50, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random_());
    return bytes;
  }

  std::mt19937 random_{1};
};

TEST_F(MalformedMessageTest, AreRefusedByEveryRpc) {
  const e2e::Client client(e2e::Connect(address()));
  sandbox().ForgetRequests();
  for (const std::string& rpc : UnaryRpcs()) {
    for (const std::string& bytes : NoMessages()) {
      const e2e::Outcome outcome = client.CallRaw(rpc, bytes);

      EXPECT_EQ(EndingOf(outcome), "INVALID_ARGUMENT REQUEST_MALFORMED")
          << rpc << " " << testing::PrintToString(bytes.substr(0, 20));
    }
  }
  EXPECT_EQ(sandbox().Requests().size(), 0U);
}

// Some of these happen to be messages with fields that nobody knows.
TEST_F(MalformedMessageTest, RandomBytesHarmNobody) {
  const e2e::Client client(e2e::Connect(address()));
  const std::vector<std::string> rpcs = UnaryRpcs();
  const auto call = [&](AttackLog& log) {
    for (const std::string& rpc : rpcs) {
      const e2e::Outcome outcome = client.CallRaw(rpc, RandomBytes());
      EXPECT_TRUE(outcome.ok() || outcome.has_details) << EndingOf(outcome);
      log.Add(EndingOf(outcome));
    }
  };

  Endure({.name = "random messages", .wave = call, .memory_kib = 8 * kKibPerMib});
}

}  // namespace
}  // namespace idv::chaos
