// Keys that are replaced every second, under load.

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "kora/idv/v1/reference_service.grpc.pb.h"
#include "kora/idv/v1/verification_service.grpc.pb.h"
#include "tests/e2e/bao.h"
#include "tests/e2e/call.h"
#include "tests/e2e/gateway.h"
#include "tests/e2e/key_directory.h"
#include "tests/e2e/rotating_tenants.h"

namespace idv::e2e {
namespace {

using kora::idv::v1::ReferenceService;
using kora::idv::v1::VerificationService;
using std::chrono::steady_clock;

// Of each tenant.
constexpr int kCallsPerSecond = 100;
constexpr int kCreateEvery = 5;
constexpr auto kRotation = std::chrono::seconds(1);

int Rotations() { return std::getenv("IDV_LONG") != nullptr ? 120 : 6; }

// Calls for one tenant, at the pace.
class Load {
 public:
  Load(const std::string& address, std::string tenant)
      : client_(Connect(address)), tenant_(std::move(tenant)), thread_([this] { Run(); }) {}
  ~Load() { Stop(); }

  void Stop() {
    is_over_ = true;
    if (thread_.joinable()) thread_.join();
  }

  // Of all calls; how many of them took a second request; how those ended that failed.
  int calls() const { return calls_; }
  int repeated() const { return repeated_; }
  const std::map<std::string, int>& failures() const { return failures_; }

 private:
  void Run() {
    auto next = steady_clock::now();
    for (; !is_over_; next += std::chrono::milliseconds(1000) / kCallsPerSecond) {
      std::this_thread::sleep_until(next);
      const Outcome outcome = Call(calls_++);
      if (!outcome.ok()) ++failures_[outcome.reason() + " " + outcome.status.error_message()];
      if (outcome.Trailer("x-idv-attempts") == "2") ++repeated_;
    }
  }

  Outcome Call(int number) const {
    const CallOptions options{.metadata = {{"x-idv-tenant", tenant_}}};
    if (number % kCreateEvery != 0) {
      return client_.Call(&ReferenceService::Stub::ListDocumentTypes,
                          kora::idv::v1::ListDocumentTypesRequest(), options);
    }
    kora::idv::v1::CreateVerificationRequest request;
    request.set_external_id("cust-" + std::to_string(number));
    return client_.Call(&VerificationService::Stub::CreateVerification, request, options);
  }

  const Client client_;
  const std::string tenant_;
  std::atomic<bool> is_over_ = false;
  int calls_ = 0;
  int repeated_ = 0;
  std::map<std::string, int> failures_;
  std::thread thread_;  // uses all of the above
};

class KeyStormTest : public testing::Test {
 protected:
  static std::map<std::string, std::string> KeysOf(const RotatingTenants& tenants, int number) {
    std::map<std::string, std::string> keys;
    for (const std::string& name : tenants.names()) {
      keys[name] = RotatingTenants::Key(name, number);
    }
    return keys;
  }

  // `replace` puts the keys of that number into their place.
  void Rotate(const Json& config, const std::function<void(int number)>& replace) const {
    Gateway gateway(config);
    tenants_.DemandAll(0);
    std::vector<std::unique_ptr<Load>> loads;
    for (const std::string& name : tenants_.names()) {
      loads.push_back(std::make_unique<Load>(gateway.addresses()[0], name));
    }
    for (int number = 1; number <= Rotations(); ++number) {
      std::this_thread::sleep_for(kRotation);
      replace(number);
      tenants_.DemandAll(number);
    }
    std::this_thread::sleep_for(kRotation);

    for (const auto& load : loads) {
      load->Stop();
      EXPECT_THAT(load->failures(), testing::IsEmpty());
      EXPECT_GT(load->calls(), Rotations() * kCallsPerSecond / 2);
      // The upstream turns to the new key before the gateway knows of it.
      EXPECT_GT(load->repeated(), 0);
      std::cout << load->calls() << " calls, " << load->repeated() << " of them repeated\n";
    }
    EXPECT_EQ(gateway.Stop(), 0);
  }

  const RotatingTenants tenants_{{"acme", "bolt", "corp"}};
};

TEST_F(KeyStormTest, KeysInFilesAreReplacedEverySecondWithoutAFailedCall) {
  KeyDirectory files(KeysOf(tenants_, 0));
  Json config = tenants_.Config();
  for (Json& tenant : config["tenants"]) {
    tenant["api_key"] = {{"file", files.Path(tenant["name"])}};
  }
  Rotate(config, [&](int number) { files.Replace(KeysOf(tenants_, number)); });
}

TEST_F(KeyStormTest, KeysInAVaultAreReplacedEverySecondWithoutAFailedCall) {
  if (!Bao::IsInstalled()) GTEST_SKIP() << "bao is not installed";
  Bao bao;
  const auto put = [&](int number) {
    for (const auto& [name, key] : KeysOf(tenants_, number)) bao.Put(name, "api_key", key);
  };
  put(0);
  const TempDir dir;
  Json config = tenants_.Config();
  for (Json& tenant : config["tenants"]) {
    const std::string path = "secret/data/" + tenant["name"].get<std::string>();
    tenant["api_key"]["vault"] = {{"path", path}, {"field", "api_key"}};
  }
  config["vault"] = {{"address", bao.address()},
                     {"auth", {{"token_file", dir.Write("token", Bao::root_token())}}}};
  Rotate(config, put);
}

}  // namespace
}  // namespace idv::e2e
