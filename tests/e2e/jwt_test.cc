// Callers that are known by bearer tokens.

#include <gmock/gmock.h>

#include <chrono>
#include <fstream>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kora/idv/v1/reference_service.grpc.pb.h"
#include "tests/auth/token_maker.h"
#include "tests/e2e/call.h"
#include "tests/e2e/gateway.h"
#include "tests/e2e/process.h"
#include "tests/e2e/sandbox.h"
#include "tests/e2e/tls_connection.h"
#include "tests/upstream/certificates.h"
#include "tests/upstream/stub_server.h"

namespace idv::e2e {
namespace {

using grpc::StatusCode;
using kora::idv::v1::ReferenceService;

constexpr char kServiceAccount[] = "system:serviceaccount:kyc:onboarding";

class JwtTest : public testing::Test {
 protected:
  JwtTest() { Trust(Json::array({key_.PublicKey()})); }

  void Trust(const Json& keys) const { std::ofstream(jwks_file_) << KeySetOf(keys); }

  // Knows the service account by its token, and whoever is local if `local_too`.
  Json Config(bool local_too) const {
    Json config = BasicConfig(sandbox_.base_url());
    config["authentication"]["jwt"] = Json::array({{{"issuer", "https://kubernetes.default.svc"},
                                                    {"audience", "idv-gateway"},
                                                    {"jwks_file", jwks_file_}}});
    Json account = config["callers"][0];
    account["identity"] = "system:serviceaccount:kyc:*";
    if (!local_too) config["callers"] = Json::array();
    config["callers"].push_back(account);
    return config;
  }

  void Start(const Json& config) {
    gateway_.emplace(config);
    client_.emplace(Connect(gateway_->addresses()[0]));
  }

  // As Kubernetes projects them.
  static Json Claims(const std::string& subject) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto time = std::chrono::duration_cast<std::chrono::seconds>(now).count();
    return {{"aud", Json::array({"idv-gateway"})},
            {"exp", time + 3600},
            {"iat", time},
            {"iss", "https://kubernetes.default.svc"},
            {"kubernetes.io", {{"namespace", "kyc"}}},
            {"nbf", time},
            {"sub", subject}};
  }

  std::string Token(const std::string& subject = kServiceAccount) const {
    return key_.Sign(Claims(subject), "RS256");
  }

  static Outcome CallBy(const Client& client, Metadata metadata) {
    kora::idv::v1::ListDocumentTypesRequest request;
    request.set_country("NG");
    return client.Call(&ReferenceService::Stub::ListDocumentTypes, request,
                       {.metadata = std::move(metadata)});
  }
  Outcome Call(Metadata metadata) const { return CallBy(*client_, std::move(metadata)); }

  static void ExpectUnknown(const Outcome& outcome) {
    EXPECT_EQ(outcome.status.error_code(), StatusCode::UNAUTHENTICATED);
    EXPECT_EQ(outcome.reason(), "CALLER_UNAUTHENTICATED");
    EXPECT_EQ(outcome.status.error_message(), "this gateway does not know the caller");
  }

  const TokenMaker key_{"RSA-2048", "key-1"};
  const TempDir dir_;
  const std::string jwks_file_ = dir_.Path("jwks.json");
  Sandbox sandbox_;
  std::optional<Gateway> gateway_;
  std::optional<Client> client_;
};

TEST_F(JwtTest, ATokenSaysWhoCallsWhateverTheConnection) {
  Start(Config(/*local_too=*/true));
  const std::string token = Token();

  EXPECT_TRUE(Call({{"authorization", "Bearer " + token}}).ok());
  EXPECT_TRUE(Call({{"authorization", "bearer  " + token}}).ok());
  EXPECT_TRUE(Call({}).ok());  // local
  EXPECT_TRUE(Call({{"authorization", "test_sk_sandbox"}}).ok());
  // Who shows a token is known by that or not at all.
  const size_t received = sandbox_.Requests("").size();
  ExpectUnknown(Call({{"authorization", "Bearer"}, {"authorization", "Bearer " + token}}));
  ExpectUnknown(Call({{"authorization", "Bearer " + token + "x"}}));
  ExpectUnknown(Call({{"authorization", "Bearer test_sk_sandbox"}}));
  ExpectUnknown(Call({{"authorization", "Bearer "}}));
  ExpectUnknown(Call({{"authorization", "Bearer " + Token("system:serviceaccount:other:a")}}));
  ExpectUnknown(Call({{"authorization", "Bearer " + Token("local")}}));
  EXPECT_EQ(sandbox_.Requests("").size(), received);
}

TEST_F(JwtTest, WithoutAnIssuerTokensSayNothing) {
  Start(BasicConfig(sandbox_.base_url()));
  EXPECT_TRUE(Call({{"authorization", "Bearer nonsense"}}).ok());
}

TEST_F(JwtTest, NobodyIsLocalOnAnInsecureListenerButByAUnixSocket) {
  const std::string socket = "unix:" + dir_.Path("gateway.sock");
  Json config = Config(/*local_too=*/true);
  config["listen"]["insecure"] = true;
  config["listen"]["grpc"] = {"0.0.0.0:0", socket};
  gateway_.emplace(config);
  const std::string& address = gateway_->addresses()[0];
  const Client client(Connect("127.0.0.1" + address.substr(address.rfind(':'))));

  EXPECT_TRUE(CallBy(client, {{"authorization", "Bearer " + Token()}}).ok());
  ExpectUnknown(CallBy(client, {}));
  EXPECT_TRUE(CallBy(Client(Connect(socket)), {}).ok());
}

TEST_F(JwtTest, WithTlsTheCertificateIsNotNeededBesideATokenButCountsWithoutOne) {
  const TestCertificates certificates;
  certificates.Issue("kyc", "URI:spiffe://c/kyc");
  Json config = Config(/*local_too=*/false);
  config["listen"]["tls"] = {{"cert_file", certificates.cert_file()},
                             {"key_file", certificates.key_file()},
                             {"client_ca_file", certificates.ca_file()}};
  Json by_certificate = config["callers"][0];
  by_certificate["identity"] = "spiffe://c/kyc";
  config["callers"].push_back(by_certificate);
  gateway_.emplace(config);
  const auto connect = [&](const std::string& certificate) {
    return ConnectTls(gateway_->addresses()[0], certificates, certificates, certificate);
  };

  EXPECT_TRUE(CallBy(connect(""), {{"authorization", "Bearer " + Token()}}).ok());
  ExpectUnknown(CallBy(connect(""), {}));
  EXPECT_TRUE(CallBy(connect("kyc"), {}).ok());
  EXPECT_TRUE(CallBy(connect("kyc"), {{"authorization", "Bearer " + Token()}}).ok());
  ExpectUnknown(CallBy(connect("kyc"), {{"authorization", "Bearer x"}}));
}

TEST_F(JwtTest, KeysAreReplacedWhileItServes) {
  Start(Config(/*local_too=*/false));
  const TokenMaker next("P-256", "key-2");
  const Metadata by_old = {{"authorization", "Bearer " + Token()}};
  const Metadata by_next = {
      {"authorization", "Bearer " + next.Sign(Claims(kServiceAccount), "ES256")}};
  EXPECT_TRUE(Call(by_old).ok());
  ExpectUnknown(Call(by_next));

  Trust({key_.PublicKey(), next.PublicKey()});
  EXPECT_TRUE(WaitUntil([&] { return Call(by_next).ok(); }));
  EXPECT_TRUE(Call(by_old).ok());

  Trust(Json::array({next.PublicKey()}));
  EXPECT_TRUE(WaitUntil([&] { return !Call(by_old).ok(); }));
  ExpectUnknown(Call(by_old));

  std::ofstream(jwks_file_) << "{";
  EXPECT_TRUE(WaitUntil([&] {
    return gateway_->process().Err().find("authentication.jwt[0].jwks_file: ") != std::string::npos;
  }));
  EXPECT_TRUE(Call(by_next).ok());
}

TEST_F(JwtTest, AFileWithoutKeysStopsTheStart) {
  std::ofstream(jwks_file_) << "{}";
  const auto process =
      RunGateway(dir_.Write("gateway.yaml", Config(/*local_too=*/true).dump()), {"--check"});
  EXPECT_EQ(process->Wait(), 2);
  EXPECT_THAT(process->Err(), testing::HasSubstr("authentication.jwt[0].jwks_file: " + jwks_file_));
}

// An issuer that publishes its keys at a URL.
class JwksUrlTest : public JwtTest {
 protected:
  void Publish(const Json& keys) {
    const std::lock_guard lock(mutex_);
    published_ = StubServer::Http(200, KeySetOf(keys));
  }
  void Break() {
    const std::lock_guard lock(mutex_);
    published_ = StubServer::Http(503, "");
  }

  Json ConfigOf(const std::string& url) const {
    Json config = Config(/*local_too=*/true);
    config["authentication"]["jwt"][0].erase("jwks_file");
    config["authentication"]["jwt"][0]["jwks_url"] = url;
    return config;
  }

  Outcome CallWith(const std::string& token) const {
    return Call({{"authorization", "Bearer " + token}});
  }

  std::mutex mutex_;
  StubServer::Reply published_ =
      StubServer::Http(200, KeySetOf(Json::array({key_.PublicKey()})));  // protected by mutex_
  const StubServer issuer_{[this](const auto&) {
    const std::lock_guard lock(mutex_);
    return published_;
  }};
};

TEST_F(JwksUrlTest, ATokenByAKeyThatIsPublishedOnlyNowIsTakenAtOnce) {
  Start(ConfigOf(issuer_.url() + "/jwks"));
  EXPECT_TRUE(CallWith(Token()).ok());
  EXPECT_EQ(issuer_.requests().size(), 1U);
  const TokenMaker next("P-256", "key-2");
  Publish(Json::array({next.PublicKey()}));

  EXPECT_TRUE(CallWith(next.Sign(Claims(kServiceAccount), "ES256")).ok());

  EXPECT_TRUE(gateway_->IsLogged("the keys of authentication.jwt[0]"));
  ExpectUnknown(CallWith(Token()));
}

TEST_F(JwksUrlTest, TokensByUnknownKeysCannotHaveItFetchedOften) {
  Start(ConfigOf(issuer_.url()));
  const TokenMaker stranger("P-256", "nobody's");
  const std::string token = stranger.Sign(Claims(kServiceAccount), "ES256");

  for (int i = 0; i < 20; ++i) ExpectUnknown(CallWith(token));

  EXPECT_EQ(issuer_.requests().size(), 2U);  // at the start, and for the first of these
}

TEST_F(JwksUrlTest, OtherTokensThatAreNotGenuineHaveNothingFetched) {
  Start(ConfigOf(issuer_.url()));
  Json expired = Claims(kServiceAccount);
  expired["exp"] = 1;
  const TokenMaker forger("RSA-2048", "key-1");
  const TokenMaker unknown("RSA-2048", "unknown");
  for (const std::string& token : {forger.Sign(Claims(kServiceAccount), "RS256"),
                                   unknown.Sign(expired, "RS256"), std::string("a.b.c")}) {
    ExpectUnknown(CallWith(token));
  }
  EXPECT_EQ(issuer_.requests().size(), 1U);
}

TEST_F(JwksUrlTest, AnIssuerThatIsDownIsLoggedAndAskedAgain) {
  Break();
  Start(ConfigOf(issuer_.url()));
  EXPECT_TRUE(gateway_->IsLogged("authentication.jwt[0].jwks_url: the answer was 503"));
  EXPECT_TRUE(Call({}).ok());  // whoever is local
  Publish(Json::array({key_.PublicKey()}));

  EXPECT_TRUE(CallWith(Token()).ok());
}

TEST_F(JwksUrlTest, CheckRefusesAnIssuerThatCannotBeReachedOrGivesNoKeys) {
  const auto expect_refused = [&](const std::string& url, const std::string& why) {
    const auto check = RunGateway(dir_.Write("gateway.yaml", ConfigOf(url).dump()), {"--check"});
    EXPECT_EQ(check->Wait(), 2);
    EXPECT_THAT(check->Err(), testing::HasSubstr("authentication.jwt[0].jwks_url: " + why));
  };
  expect_refused("http://127.0.0.1:1/jwks", "Couldn't connect to server");
  Publish(Json::array());
  expect_refused(issuer_.url(), "it gave no");
}

}  // namespace
}  // namespace idv::e2e
