// Two gateways behind a caller that looks at their health are replaced one after the other.

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <iostream>
#include <memory>
#include <random>
#include <string>

#include "tests/chaos/async_caller.h"
#include "tests/chaos/size.h"
#include "tests/e2e/call.h"
#include "tests/e2e/gateway.h"
#include "tests/e2e/sandbox.h"
#include "tests/e2e/steps.h"

namespace idv::chaos {
namespace {

using e2e::Client;
using e2e::Connect;
using e2e::Gateway;
using e2e::Json;
using e2e::Sandbox;

constexpr int kCallsPerSecond = 300;
const int kRounds = Sized(1, 5);
const std::string kSettle = Sized<std::string>("500ms", "5s");

bool IsFree(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  const bool bound = bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return bound;
}

// Below those that the system gives to connections (32768 and up): no other program comes by such a
// port while a gateway restarts.
std::string FreeAddress() {
  static std::mt19937 random{std::random_device{}()};
  std::uniform_int_distribution<int> ports(20'000, 32'000);
  int port = ports(random);
  while (!IsFree(port)) port = ports(random);
  return "127.0.0.1:" + std::to_string(port);
}

// One that takes a gateway out while it is not SERVING, and is quick to find it again.
std::shared_ptr<grpc::Channel> ConnectToAll(const std::string& first, const std::string& second) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 500);
  arguments.SetServiceConfigJSON(
      R"({"loadBalancingConfig": [{"round_robin": {}}], "healthCheckConfig": {"serviceName": ""}})");
  return grpc::CreateCustomChannel("ipv4:" + first + "," + second,
                                   grpc::InsecureChannelCredentials(), arguments);
}

class RollingRestartTest : public testing::Test {
 protected:
  std::unique_ptr<Gateway> StartOn(const std::string& address) {
    Json config = e2e::BasicConfig(sandbox_.base_url());
    config["listen"]["grpc"] = {address};
    config["drain"] = {{"settle", kSettle}};
    return std::make_unique<Gateway>(config);
  }

  // Until the gateway there has served further calls.
  static void AwaitServedBy(const std::string& address, const AsyncCaller& caller) {
    const auto served = [&] { return caller.endings().served_by["ipv4:" + address]; };
    const size_t before = served();
    EXPECT_TRUE(e2e::WaitUntil([&] { return served() > before; }, std::chrono::seconds(30)))
        << address << " serves nothing";
  }

  const Sandbox sandbox_;
  const std::array<std::string, 2> addresses_{FreeAddress(), FreeAddress()};
  std::array<std::unique_ptr<Gateway>, 2> gateways_{StartOn(addresses_[0]), StartOn(addresses_[1])};
  const std::string id_ = e2e::Create(Client(Connect(addresses_[0])), "cust-1").id();
};

TEST_F(RollingRestartTest, FailsNoCall) {
  const auto channel = ConnectToAll(addresses_[0], addresses_[1]);
  ASSERT_TRUE(
      channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(10)));
  AsyncCaller caller(channel, id_);

  {
    const Pacer pacer(caller, kCallsPerSecond);
    for (const std::string& address : addresses_) AwaitServedBy(address, caller);
    for (int i = 0; i < 2 * kRounds; ++i) {
      const auto place = static_cast<size_t>(i % 2);
      EXPECT_EQ(gateways_[place]->Stop(), 0);
      gateways_[place] = StartOn(addresses_[place]);
      AwaitServedBy(addresses_[place], caller);
    }
  }

  const Endings endings = caller.Finish();
  std::cout << endings.total() << " calls during " << 2 * kRounds
            << " restarts: " << testing::PrintToString(endings.by_ending) << ", served by "
            << testing::PrintToString(endings.served_by) << std::endl;
  EXPECT_EQ(endings.count("OK"), endings.total());
}

}  // namespace
}  // namespace idv::chaos
