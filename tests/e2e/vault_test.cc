// Keys of tenants in a secrets store with the HTTP API of Vault: OpenBao.

#include <gmock/gmock.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "kora/idv/v1/reference_service.grpc.pb.h"
#include "tests/auth/token_maker.h"
#include "tests/e2e/bao.h"
#include "tests/e2e/call.h"
#include "tests/e2e/gateway.h"
#include "tests/e2e/rotating_tenants.h"
#include "tests/e2e/tls_connection.h"
#include "tests/upstream/certificates.h"
#include "tests/upstream/stub_server.h"

namespace idv::e2e {
namespace {

using kora::idv::v1::ListDocumentTypesRequest;
using kora::idv::v1::ReferenceService;
using testing::HasSubstr;

std::string Key(int number) { return RotatingTenants::Key("acme", number); }

class VaultTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!Bao::IsInstalled()) GTEST_SKIP() << "bao is not installed";
    Run();
  }

  void Run(bool with_tls = false, int port = 0) {
    bao_.reset();
    bao_ = std::make_unique<Bao>(with_tls, port);
    bao_->AddPolicy("idv");
    bao_->Put("idv/acme", "api_key", Key(0));
  }

  // With this as `vault.auth`.
  Json Config(const Json& auth) const {
    Json config = tenants_.Config();
    config["tenants"][0]["api_key"] = {
        {"vault", {{"path", "secret/data/idv/acme"}, {"field", "api_key"}}}};
    config["vault"] = {{"address", bao_->address()}, {"auth", auth}};
    return config;
  }

  Json TokenFile(const std::string& token) const {
    return {{"token_file", dir_.Write("token", token + "\n")}};
  }

  void Start(const Json& config) {
    gateway_.emplace(config);
    client_.emplace(Connect(gateway_->addresses()[0]));
  }

  Outcome List() const {
    return client_->Call(&ReferenceService::Stub::ListDocumentTypes, ListDocumentTypesRequest());
  }

  bool IsLogged(const std::string& text) const { return gateway_->IsLogged(text); }

  const TempDir dir_;
  const RotatingTenants tenants_{{"acme"}};
  std::unique_ptr<Bao> bao_;
  std::optional<Gateway> gateway_;
  std::optional<Client> client_;
};

TEST_F(VaultTest, AKeyIsReadWithATokenOfAFileOverTls) {
  Run(/*with_tls=*/true);
  Json config = Config(TokenFile(bao_->Token("idv", "1h")));
  config["vault"]["ca_file"] = bao_->ca_file();
  Start(config);

  EXPECT_TRUE(List().ok()) << gateway_->process().Err();
}

TEST_F(VaultTest, AServerThatIsNotTrustedIsToldNothing) {
  Run(/*with_tls=*/true);
  Start(Config(TokenFile(bao_->Token("idv", "1h"))));

  EXPECT_EQ(List().reason(), "TENANT_CREDENTIAL_MISSING");
  EXPECT_TRUE(IsLogged("the server's certificate is not trusted"));
}

TEST_F(VaultTest, ANewVersionIsTakenByItself) {
  Json config = Config(TokenFile(bao_->Token("idv", "1h")));
  config["secrets"] = {{"poll", "1s"}};
  Start(config);
  EXPECT_TRUE(List().ok());

  bao_->Put("idv/acme", "api_key", Key(1));

  EXPECT_TRUE(IsLogged("the API key of the tenant acme"));
  tenants_.Demand("acme", Key(1));
  EXPECT_EQ(List().Trailer("x-idv-attempts"), "1");
}

TEST_F(VaultTest, ANewVersionIsTakenWhenTheUpstreamRefusesTheOld) {
  Start(Config(TokenFile(bao_->Token("idv", "1h"))));
  bao_->Put("idv/acme", "api_key", Key(1));
  tenants_.Demand("acme", Key(1));

  const Outcome outcome = List();

  EXPECT_TRUE(outcome.ok()) << outcome.status.error_message();
  EXPECT_EQ(outcome.Trailer("x-idv-attempts"), "2");
}

TEST_F(VaultTest, ATokenIsRenewedBeforeItEnds) {
  Json config = Config(TokenFile(bao_->Token("idv", "4s")));
  config["secrets"] = {{"poll", "1s"}};
  Start(config);
  std::this_thread::sleep_for(std::chrono::seconds(7));

  bao_->Put("idv/acme", "api_key", Key(1));
  tenants_.Demand("acme", Key(1));

  EXPECT_TRUE(List().ok()) << gateway_->process().Err();
  EXPECT_THAT(gateway_->process().Err(), testing::Not(HasSubstr("cannot be used")));
}

TEST_F(VaultTest, ATokenThatIsReplacedInItsFileIsTaken) {
  const std::string first = bao_->Token("idv", "1h");
  Json config = Config(TokenFile(first));
  config["secrets"] = {{"poll", "1s"}};
  Start(config);
  bao_->Write("auth/token/revoke", {{"token", first}});
  EXPECT_TRUE(IsLogged("refuses the token"));
  EXPECT_TRUE(List().ok());  // with what was there

  TokenFile(bao_->Token("idv", "1h"));
  bao_->Put("idv/acme", "api_key", Key(1));

  EXPECT_TRUE(IsLogged("the API key of the tenant acme\""));
}

TEST_F(VaultTest, AKeyIsReadAfterALoginWithAJsonWebToken) {
  const TokenMaker maker("P-256", "key");
  const StubServer issuer([&](const auto&) {
    return StubServer::Http(200, KeySetOf(Json::array({maker.PublicKey()})));
  });
  bao_->Write("sys/auth/jwt", {{"type", "jwt"}});
  bao_->Write("auth/jwt/config", {{"jwks_url", issuer.url()}});
  bao_->Write("auth/jwt/role/gateway", {{"role_type", "jwt"},
                                        {"bound_audiences", {"bao"}},
                                        {"user_claim", "sub"},
                                        {"token_policies", {"idv"}},
                                        {"token_ttl", "3s"}});
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  const std::string token = maker.Sign(
      {{"aud", "bao"}, {"sub", "gateway"}, {"nbf", now - 60}, {"exp", now + 600}}, "ES256");
  Json config = Config({{"jwt", {{"role", "gateway"}, {"jwt_file", dir_.Write("jwt", token)}}}});
  config["secrets"] = {{"poll", "1s"}};
  Start(config);
  EXPECT_TRUE(List().ok()) << gateway_->process().Err();

  // Longer than the token of the login lasts.
  std::this_thread::sleep_for(std::chrono::seconds(4));
  bao_->Put("idv/acme", "api_key", Key(1));
  tenants_.Demand("acme", Key(1));
  EXPECT_TRUE(List().ok()) << gateway_->process().Err();
}

TEST_F(VaultTest, AKeyIsReadAfterALoginWithTheKubernetesServiceAccount) {
  // What Kubernetes answers when it is asked whose token it is.
  const StubServer kubernetes([&](const auto&) {
    return StubServer::Http(
        201, Json({{"apiVersion", "authentication.k8s.io/v1"},
                   {"kind", "TokenReview"},
                   {"status",
                    {{"authenticated", true},
                     {"audiences", {"bao"}},
                     {"user", {{"username", "system:serviceaccount:idv:gateway"}, {"uid", "u"}}}}}})
                 .dump());
  });
  const TokenMaker maker("RSA-2048", "key");
  bao_->Write("sys/auth/kubernetes", {{"type", "kubernetes"}});
  bao_->Write("auth/kubernetes/config",
              {{"kubernetes_host", kubernetes.url()},
               {"disable_local_ca_jwt", true},
               {"kubernetes_ca_cert", ReadFile(TestCertificates().ca_file())},
               {"token_reviewer_jwt", "reviewer"}});
  bao_->Write("auth/kubernetes/role/idv-gateway", {{"bound_service_account_names", {"gateway"}},
                                                   {"bound_service_account_namespaces", {"idv"}},
                                                   {"token_policies", {"idv"}}});
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  const std::string token = maker.Sign(
      {{"iss", "https://kubernetes"},
       {"aud", {"bao"}},
       {"sub", "system:serviceaccount:idv:gateway"},
       {"nbf", now - 60},
       {"exp", now + 600},
       {"kubernetes.io",
        {{"namespace", "idv"}, {"serviceaccount", {{"name", "gateway"}, {"uid", "u"}}}}}},
      "RS256");

  Start(
      Config({{"kubernetes", {{"role", "idv-gateway"}, {"jwt_file", dir_.Write("jwt", token)}}}}));

  EXPECT_TRUE(List().ok()) << gateway_->process().Err();
}

TEST_F(VaultTest, AStoreThatIsDownIsAskedAgainAndWhatWasReadIsKept) {
  const Json config = [&] {
    Json with_poll = Config(TokenFile(Bao::root_token()));
    with_poll["secrets"] = {{"poll", "1s"}};
    return with_poll;
  }();
  const int port = bao_->port();
  bao_.reset();
  Start(config);
  EXPECT_EQ(List().reason(), "TENANT_CREDENTIAL_MISSING");
  EXPECT_TRUE(IsLogged("vault cannot be reached"));

  Run(/*with_tls=*/false, port);
  EXPECT_TRUE(WaitUntil([&] { return List().ok(); }));

  bao_.reset();
  std::this_thread::sleep_for(std::chrono::seconds(2));
  EXPECT_TRUE(List().ok());
}

TEST_F(VaultTest, WhatCannotBeReadIsNamedAndNothingOfASecretIs) {
  const Json good = Config(TokenFile(bao_->Token("idv", "1h")));
  bao_->Put("idv/broken", "api_key", "canary with\nlines");
  bao_->Put("other", "api_key", "canary");
  bao_->Write("sys/policies/acl/narrow",
              {{"policy", "path \"secret/data/idv/*\" { capabilities = [\"read\"] }"}});
  TokenFile(bao_->Token("narrow", "1h"));
  struct Case {
    std::string path;
    std::string field;
    std::string expected;
  };
  const std::vector<Case> cases = {
      {"secret/data/idv/none", "api_key", "vault has nothing there"},
      {"secret/data/idv/acme", "none", "what it holds as text is empty"},
      {"secret/data/idv/broken", "api_key", "holds a blank, a line break"},
      {"secret/data/other", "api_key", "its policy forbids this"},
      {"secret/idv/acme", "api_key", "vault"}};
  for (const Case& one : cases) {
    Json config = good;
    config["tenants"][0]["api_key"]["vault"] = {{"path", one.path}, {"field", one.field}};
    const auto check = RunGateway(dir_.Write("gateway.yaml", config.dump()), {"--check"});
    EXPECT_EQ(check->Wait(), 2) << one.path;
    EXPECT_THAT(check->Err(), HasSubstr("tenants[0].api_key: " + one.path));
    EXPECT_THAT(check->Err(), HasSubstr(one.expected));
    EXPECT_THAT(check->Err(), testing::Not(HasSubstr("canary")));
  }
}

}  // namespace
}  // namespace idv::e2e
