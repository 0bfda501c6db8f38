// A configuration that is replaced while the gateway serves.

#include <gmock/gmock.h>

#include <atomic>
#include <csignal>
#include <string>
#include <thread>

#include "kora/idv/v1/reference_service.grpc.pb.h"
#include "tests/e2e/call.h"
#include "tests/e2e/frame_call.h"
#include "tests/e2e/gateway.h"
#include "tests/e2e/rotating_tenants.h"
#include "tests/e2e/steps.h"

namespace idv::e2e {
namespace {

using kora::idv::v1::ListDocumentTypesRequest;
using kora::idv::v1::ReferenceService;
using testing::HasSubstr;
using testing::Not;

constexpr char kTaken[] = "the new configuration is taken";
constexpr char kRefused[] = "the new configuration is refused";

class LiveConfigTest : public testing::Test {
 protected:
  // For both tenants.
  Json Both() const {
    Json config = tenants_.Config();
    for (Json& tenant : config["tenants"]) {
      const std::string name = tenant["name"];
      tenant["api_key"] = {{"file", dir_.Write(name, RotatingTenants::Key(name, 0))}};
    }
    return config;
  }

  Json OnlyAcme() const {
    Json config = Both();
    config["tenants"].erase(1);
    return config;
  }

  std::string ReasonOf(const std::string& tenant) const {
    return client_
        .Call(&ReferenceService::Stub::ListDocumentTypes, ListDocumentTypesRequest(),
              {.metadata = {{"x-idv-tenant", tenant}}})
        .reason();
  }

  int TimesLogged(const std::string& text) const {
    const std::string log = gateway_.process().Err();
    int times = 0;
    for (size_t at = log.find(text); at != std::string::npos; at = log.find(text, at + 1)) ++times;
    return times;
  }

  const TempDir dir_;
  const RotatingTenants tenants_{{"acme", "bolt"}};
  Gateway gateway_{OnlyAcme()};
  const Client client_{Connect(gateway_.addresses()[0])};
};

TEST_F(LiveConfigTest, TenantsComeAndGo) {
  EXPECT_EQ(ReasonOf("bolt"), "TENANT_NOT_ALLOWED");

  gateway_.Reconfigure(Both());
  EXPECT_TRUE(gateway_.IsLogged(kTaken));
  EXPECT_EQ(ReasonOf("bolt"), "");
  EXPECT_EQ(ReasonOf("acme"), "");

  Json only_bolt = Both();
  only_bolt["tenants"].erase(0);
  gateway_.Reconfigure(only_bolt);
  EXPECT_TRUE(WaitUntil([&] { return ReasonOf("acme") == "TENANT_NOT_ALLOWED"; }));
  EXPECT_EQ(ReasonOf("bolt"), "");
}

TEST_F(LiveConfigTest, ATenantWhoseKeyIsElsewhereNowKeepsTheFormerInReserve) {
  tenants_.Demand("acme", RotatingTenants::Key("acme", 0));
  Json config = OnlyAcme();
  config["tenants"][0]["api_key"]["file"] =
      dir_.Write("elsewhere", RotatingTenants::Key("acme", 1));

  gateway_.Reconfigure(config);

  EXPECT_TRUE(gateway_.IsLogged("the API key of the tenant acme"));
  EXPECT_EQ(ReasonOf("acme"), "");
}

TEST_F(LiveConfigTest, AFileThatIsNewInTheConfigurationIsWatchedToo) {
  gateway_.Reconfigure(Both());
  EXPECT_TRUE(gateway_.IsLogged(kTaken));

  dir_.Write("bolt", RotatingTenants::Key("bolt", 1));

  EXPECT_TRUE(gateway_.IsLogged("the API key of the tenant bolt"));
}

TEST_F(LiveConfigTest, CallersAndLimitsAreReplaced) {
  Json config = OnlyAcme();
  config["limits"] = {{"frames", 1}};
  gateway_.Reconfigure(config);
  EXPECT_TRUE(gateway_.IsLogged(kTaken));
  FrameCall call(client_);
  call.SendHeader(CreateWithSession(client_, "cust-1"));
  call.SendFrame("one") && call.SendFrame("two");
  EXPECT_EQ(call.Finish().reason(), "TOO_MANY_FRAMES");

  config["callers"][0]["methods"] = {"kora.idv.v1.VerificationService/*"};
  gateway_.Reconfigure(config);
  EXPECT_TRUE(WaitUntil([&] { return ReasonOf("acme") == "METHOD_NOT_ALLOWED"; }));
}

TEST_F(LiveConfigTest, TheLogLevelIsReplaced) {
  Json config = OnlyAcme();
  config["log"] = {{"level", "error"}};
  gateway_.Reconfigure(config);
  EXPECT_TRUE(gateway_.IsLogged(kTaken));
  const std::string new_key = R"("what":"the API key of the tenant acme")";
  const auto replace_key = [&](int number) {
    dir_.Write("acme", RotatingTenants::Key("acme", number));
    tenants_.sandbox().ClearFaults();
    tenants_.Demand("acme", RotatingTenants::Key("acme", number));
    EXPECT_EQ(ReasonOf("acme"), "");
  };
  replace_key(3);

  config["log"] = {{"level", "info"}};
  gateway_.Reconfigure(config);
  EXPECT_TRUE(WaitUntil([&] { return TimesLogged(kTaken) == 2; }));
  replace_key(4);
  EXPECT_TRUE(gateway_.IsLogged(new_key));
  EXPECT_EQ(TimesLogged(new_key), 1);  // only this one
}

TEST_F(LiveConfigTest, WhatNeedsARestartIsNamedAndTheRestTaken) {
  Json config = Both();
  config["shards"] = 1;
  config["listen"]["reflection"] = false;
  config["limits"] = {{"max_message", "1MiB"}};
  config["upstream"]["base_url"] = "https://elsewhere.example";

  gateway_.Reconfigure(config);

  EXPECT_TRUE(gateway_.IsLogged(kTaken));
  EXPECT_TRUE(gateway_.IsLogged(
      R"("settings":"listen.reflection, upstream.base_url, limits.max_message, shards")"));
  EXPECT_EQ(ReasonOf("bolt"), "");
}

TEST_F(LiveConfigTest, ABadConfigurationIsRefusedWhole) {
  Json config = Both();
  config["limits"] = {{"max_deadline", "soon"}};
  config["callers"][0]["methods"] = {"nothing"};
  gateway_.Reconfigure(config);
  EXPECT_TRUE(gateway_.IsLogged(kRefused));
  const std::string said = gateway_.process().Err();
  EXPECT_THAT(said, HasSubstr("limits.max_deadline: "));
  EXPECT_THAT(said, HasSubstr("callers[0]: "));
  EXPECT_THAT(said, Not(HasSubstr(kTaken)));
  EXPECT_EQ(ReasonOf("acme"), "");
  EXPECT_EQ(ReasonOf("bolt"), "TENANT_NOT_ALLOWED");

  gateway_.Reconfigure(Both());
  EXPECT_TRUE(gateway_.IsLogged(kTaken));
}

// Good by itself, but not without what needs a restart.
TEST_F(LiveConfigTest, AConfigurationThatHangsOnARestartIsRefusedWhole) {
  Json config = Both();
  config["authentication"]["jwt"] =
      Json::array({{{"issuer", "i"}, {"audience", "a"}, {"jwks_file", "f"}}});
  config["callers"].push_back({{"identity", "someone"}, {"tenants", {"*"}}, {"methods", {"*"}}});

  gateway_.Reconfigure(config);

  EXPECT_TRUE(gateway_.IsLogged("without what needs a restart (authentication.jwt)"));
  EXPECT_TRUE(gateway_.IsLogged("callers[1].identity: "));
  EXPECT_EQ(ReasonOf("bolt"), "TENANT_NOT_ALLOWED");
}

TEST_F(LiveConfigTest, NoCallFailsWhileItIsReplaced) {
  std::atomic<bool> is_over = false;
  int calls = 0;
  int failed = 0;
  std::thread caller([&] {
    for (; !is_over; ++calls) failed += ReasonOf("acme").empty() ? 0 : 1;
  });
  for (int i = 1; i <= 10; ++i) {
    gateway_.Reconfigure(i % 2 == 1 ? Both() : OnlyAcme());
    if (i > 5) gateway_.process().Signal(SIGHUP);
    EXPECT_TRUE(WaitUntil([&] { return TimesLogged(kTaken) == i; }));
  }
  is_over = true;
  caller.join();

  EXPECT_EQ(failed, 0);
  EXPECT_GT(calls, 50);
}

}  // namespace
}  // namespace idv::e2e
