// Keys of tenants that are replaced while calls are made with them.

#include <gmock/gmock.h>

#include <chrono>
#include <csignal>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "auth/fetch.h"
#include "kora/idv/v1/document_service.grpc.pb.h"
#include "kora/idv/v1/reference_service.grpc.pb.h"
#include "tests/e2e/call.h"
#include "tests/e2e/frame_call.h"
#include "tests/e2e/gateway.h"
#include "tests/e2e/key_directory.h"
#include "tests/e2e/rotating_tenants.h"
#include "tests/e2e/steps.h"

namespace idv::e2e {
namespace {

using kora::idv::v1::DocumentService;
using kora::idv::v1::ListDocumentTypesRequest;
using kora::idv::v1::ReferenceService;
using testing::HasSubstr;

std::string Key(int number) { return RotatingTenants::Key("acme", number); }

class KeyRotationTest : public testing::Test {
 protected:
  void Start(Json config) {
    gateway_.emplace(config);
    client_.emplace(Connect(gateway_->addresses()[0]));
  }

  Json Config() const {
    Json config = tenants_.Config();
    config["tenants"][0]["api_key"] = {{"file", files_.Path("acme")}};
    config["tenants"][1]["api_key"] = {{"file", files_.Path("bolt")}};
    return config;
  }

  void Replace(const std::string& key) {
    files_.Replace({{"acme", key}, {"bolt", "test_sk_bolt_0"}});
  }

  Outcome List(const std::string& tenant = "acme") const {
    return client_->Call(&ReferenceService::Stub::ListDocumentTypes, ListDocumentTypesRequest(),
                         {.metadata = {{"x-idv-tenant", tenant}}});
  }

  bool IsLogged(const std::string& text) const { return gateway_->IsLogged(text); }

  const RotatingTenants tenants_{{"acme", "bolt"}};
  KeyDirectory files_{{{"acme", Key(0) + "\n"}, {"bolt", "test_sk_bolt_0"}}};
  std::optional<Gateway> gateway_;
  std::optional<Client> client_;
};

TEST_F(KeyRotationTest, ANewKeyIsSentAsSoonAsItIsThere) {
  Start(Config());
  EXPECT_TRUE(List().ok());

  Replace(Key(1));

  EXPECT_TRUE(IsLogged("the API key of the tenant acme"));
  tenants_.Demand("acme", Key(1));
  const Outcome outcome = List();
  EXPECT_TRUE(outcome.ok());
  EXPECT_EQ(outcome.Trailer("x-idv-attempts"), "1");
}

// The upstream knows of it before the gateway has seen it.
TEST_F(KeyRotationTest, ACallRefusedWithTheOldKeyIsMadeAgainWithTheNew) {
  Start(Config());
  EXPECT_TRUE(List().ok());
  Replace(Key(1));
  tenants_.Demand("acme", Key(1));

  const Outcome outcome = List();

  EXPECT_TRUE(outcome.ok()) << outcome.status.error_message();
  EXPECT_EQ(outcome.Trailer("x-idv-attempts"), "2");
}

TEST_F(KeyRotationTest, ARefusedUploadIsSentAgainWhole) {
  Start(Config());
  kora::idv::v1::UploadDocumentRequest request;
  const CallOptions as_acme{.metadata = {{"x-idv-tenant", "acme"}}};
  kora::idv::v1::CreateVerificationRequest creation;
  creation.set_external_id("cust-1");
  creation.set_tier(kora::idv::v1::VERIFICATION_TIER_STANDARD);
  const auto created = client_->Call(&kora::idv::v1::VerificationService::Stub::CreateVerification,
                                     creation, as_acme);
  ASSERT_TRUE(created.ok()) << created.status.error_message();
  request.set_verification_id(created.response.id());
  request.set_document_type("ghana_card");
  request.set_image(std::string(2'000'000, 'i'));
  tenants_.sandbox().ForgetRequests();
  Replace(Key(1));
  tenants_.Demand("acme", Key(1));

  const Outcome outcome = client_->Call(&DocumentService::Stub::UploadDocument, request, as_acme);

  EXPECT_TRUE(outcome.ok()) << outcome.status.error_message();
  EXPECT_EQ(outcome.Trailer("x-idv-attempts"), "2");
  const Json requests = tenants_.sandbox().Requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[1]["status"], 200);
  EXPECT_EQ(requests[1]["body_complete"], true);
  EXPECT_GT(requests[1]["body_bytes"], 2'600'000);
}

// The gateway knows of it before the upstream does.
TEST_F(KeyRotationTest, TheFormerKeyServesUntilTheUpstreamTakesTheNew) {
  Start(Config());
  EXPECT_TRUE(List().ok());
  tenants_.Demand("acme", Key(0));
  Replace(Key(1));
  EXPECT_TRUE(IsLogged("the API key of the tenant acme"));

  EXPECT_EQ(List().Trailer("x-idv-attempts"), "2");
  const Outcome next = List();
  EXPECT_TRUE(next.ok());
  EXPECT_EQ(next.Trailer("x-idv-attempts"), "1");  // nothing is spent on what is known

  tenants_.sandbox().ClearFaults();
  tenants_.Demand("acme", Key(1));
  EXPECT_TRUE(List().ok());
  EXPECT_EQ(List().Trailer("x-idv-attempts"), "1");
}

TEST_F(KeyRotationTest, TheFormerKeyIsForgottenAfterTheOverlap) {
  Json config = Config();
  config["secrets"] = {{"overlap", "0s"}};
  Start(config);
  tenants_.Demand("acme", Key(0));
  Replace(Key(1));
  EXPECT_TRUE(IsLogged("the API key of the tenant acme"));

  const Outcome outcome = List();

  EXPECT_EQ(outcome.reason(), "UPSTREAM_CREDENTIAL_REJECTED");
  EXPECT_EQ(outcome.Trailer("x-idv-attempts"), "1");
}

TEST_F(KeyRotationTest, WhenNoKeyIsTakenOnlyThatTenantFails) {
  Start(Config());
  tenants_.Demand("acme", Key(7));

  const Outcome outcome = List("acme");

  EXPECT_EQ(outcome.reason(), "UPSTREAM_CREDENTIAL_REJECTED");
  EXPECT_EQ(outcome.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(outcome.Trailer("grpc-retry-pushback-ms"), "-1");
  EXPECT_EQ(outcome.Trailer("x-idv-attempts"), "1");
  EXPECT_TRUE(List("bolt").ok());
  EXPECT_TRUE(IsLogged("the upstream refuses the tenant's API key"));

  Replace(Key(7));
  EXPECT_TRUE(WaitUntil([&] { return List("acme").ok(); }));
  EXPECT_TRUE(IsLogged("the upstream takes the tenant's API key again"));
}

TEST_F(KeyRotationTest, ATenantWithoutAKeyFailsUntilItHasOne) {
  files_.Replace({{"acme", ""}, {"bolt", "test_sk_bolt_0"}});
  Start(Config());

  const Outcome outcome = List("acme");

  EXPECT_EQ(outcome.reason(), "TENANT_CREDENTIAL_MISSING");
  EXPECT_EQ(outcome.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(outcome.Trailer("grpc-retry-pushback-ms"), "-1");
  EXPECT_EQ(outcome.Trailer("x-idv-attempts"), "0");
  EXPECT_TRUE(List("bolt").ok());
  EXPECT_TRUE(IsLogged("acme is empty"));

  Replace(Key(0));
  EXPECT_TRUE(WaitUntil([&] { return List("acme").ok(); }));
}

// The pages for operators and for Kubernetes.
class ReadinessTest : public KeyRotationTest {
 protected:
  Json Config() const {
    Json config = KeyRotationTest::Config();
    config["listen"]["admin"] = "127.0.0.1:0";
    return config;
  }

  FetchResponse Page(const std::string& path) const {
    const absl::StatusOr<FetchResponse> page =
        Fetcher().Fetch({.url = "http://" + gateway_->admin_address() + path});
    EXPECT_TRUE(page.ok()) << page.status();
    return page.value_or(FetchResponse());
  }
};

TEST_F(ReadinessTest, NamesATenantWhoseKeyIsRefusedButOthersGoOn) {
  Start(Config());
  EXPECT_EQ(Page("/livez").body, "ok\n");
  EXPECT_EQ(Page("/readyz").body, "ok\n");
  tenants_.Demand("acme", Key(7));

  List("acme");

  FetchResponse page = Page("/readyz");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.body, "ok\ntenant acme: the upstream refuses the API key\n");

  tenants_.Demand("bolt", RotatingTenants::Key("bolt", 7));
  List("bolt");
  page = Page("/readyz");
  EXPECT_EQ(page.status, 503);
  EXPECT_EQ(page.body,
            "tenant acme: the upstream refuses the API key\n"
            "tenant bolt: the upstream refuses the API key\n");

  tenants_.sandbox().ClearFaults();
  EXPECT_TRUE(List("acme").ok());
  EXPECT_EQ(Page("/readyz").status, 200);
}

TEST_F(ReadinessTest, NamesATenantWithoutAKey) {
  files_.Replace({{"acme", ""}, {"bolt", "test_sk_bolt_0"}});
  Start(Config());
  EXPECT_EQ(Page("/readyz").body, "ok\ntenant acme: no API key\n");
}

TEST_F(ReadinessTest, IsOverFromTheBeginningOfAShutdown) {
  Json config = Config();
  config["drain"] = {{"settle", "1h"}};
  Start(config);
  gateway_->process().Signal(SIGTERM);
  EXPECT_TRUE(WaitUntil([&] { return Page("/readyz").status == 503; }));
  EXPECT_EQ(Page("/readyz").body, "shutting down\n");
  EXPECT_EQ(Page("/livez").status, 200);
  EXPECT_TRUE(List().ok());
}

TEST_F(ReadinessTest, OtherPagesAndVerbsAreRefused) {
  Start(Config());
  const FetchResponse none = Page("/etc/passwd");
  EXPECT_EQ(none.status, 404);
  EXPECT_THAT(none.body, HasSubstr("/readyz"));
  EXPECT_EQ(Page("/../../etc/passwd").status, 404);
  const auto posted = Fetcher().Fetch(
      {.url = "http://" + gateway_->admin_address() + "/livez", .headers = {}, .json = "{}"});
  ASSERT_TRUE(posted.ok());
  EXPECT_EQ(posted->status, 405);
}

TEST_F(ReadinessTest, AnAddressThatIsTakenStopsTheStart) {
  Start(Config());
  Json config = Config();
  config["listen"]["admin"] = gateway_->admin_address();
  const TempDir dir;
  const auto second = RunGateway(dir.Write("gateway.yaml", config.dump()));
  EXPECT_EQ(second->Wait(), 1);
  EXPECT_THAT(second->Err(), HasSubstr(gateway_->admin_address() + " cannot be listened on"));
}

TEST_F(KeyRotationTest, AKeyThatCannotBeReadAnyMoreIsKept) {
  Start(Config());

  Replace("two words");

  EXPECT_TRUE(IsLogged("holds a blank"));
  EXPECT_TRUE(List().ok());
}

TEST_F(KeyRotationTest, ARefusedFrameStreamEndsAndTheNextHasTheNewKey) {
  Json config = Config();
  config["callers"][0]["tenants"] = {"acme"};
  Start(config);
  const std::string id = CreateWithSession(*client_, "cust-1");
  const auto stream = [&] {
    FrameCall call(*client_);
    call.SendHeader(id) && call.SendFrame("frame") && call.SendEndMark(1);
    call.Close();
    return call.Finish();
  };
  Replace(Key(1));
  tenants_.Demand("acme", Key(1));

  const Outcome refused = stream();

  EXPECT_EQ(refused.reason(), "UPSTREAM_CREDENTIAL_REJECTED");
  EXPECT_EQ(refused.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(refused.Trailer("grpc-retry-pushback-ms"), "100");
  EXPECT_TRUE(stream().ok());
}

TEST(ManyTenantsTest, AThousandHaveTheirKeysReadAndReplacedAllAtOnce) {
  std::vector<std::string> names;
  for (int i = 0; i < 1000; ++i) names.push_back("tenant-" + std::to_string(i));
  const RotatingTenants tenants(names, /*keys_each=*/2);
  const auto keys = [&](int number) {
    std::map<std::string, std::string> files;
    for (const std::string& name : names) files[name] = RotatingTenants::Key(name, number);
    return files;
  };
  KeyDirectory files(keys(0));
  Json config = tenants.Config();
  for (Json& tenant : config["tenants"]) {
    tenant["api_key"] = {{"file", files.Path(tenant["name"])}};
  }

  const auto begin = std::chrono::steady_clock::now();
  Gateway gateway(config);
  const std::chrono::duration<double> start = std::chrono::steady_clock::now() - begin;
  std::cout << "ready after " << start.count() << " s\n";
  const Client client(Connect(gateway.addresses()[0]));
  const auto list = [&](const std::string& tenant) {
    return client.Call(&ReferenceService::Stub::ListDocumentTypes, ListDocumentTypesRequest(),
                       {.metadata = {{"x-idv-tenant", tenant}}});
  };
  for (const char* const name : {"tenant-0", "tenant-500", "tenant-999"}) {
    EXPECT_TRUE(list(name).ok()) << name;
  }

  files.Replace(keys(1));
  for (const std::string& name : names) {
    EXPECT_TRUE(gateway.IsLogged("the API key of the tenant " + name + "\""));
  }
  for (const char* const name : {"tenant-0", "tenant-500", "tenant-999"}) {
    tenants.Demand(name, RotatingTenants::Key(name, 1));
    EXPECT_EQ(list(name).Trailer("x-idv-attempts"), "1") << name;
  }
}

}  // namespace
}  // namespace idv::e2e
