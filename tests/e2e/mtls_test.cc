// Callers that are known by their certificates, and the gateway's own, which changes meanwhile.

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "kora/idv/v1/reference_service.grpc.pb.h"
#include "kora/idv/v1/verification_service.grpc.pb.h"
#include "tests/e2e/call.h"
#include "tests/e2e/gateway.h"
#include "tests/e2e/process.h"
#include "tests/e2e/sandbox.h"
#include "tests/e2e/steps.h"
#include "tests/e2e/tls_connection.h"
#include "tests/upstream/certificates.h"

namespace idv::e2e {
namespace {

using grpc::StatusCode;
using kora::idv::v1::GetVerificationRequest;
using kora::idv::v1::ListDocumentTypesRequest;
using kora::idv::v1::ReferenceService;
using kora::idv::v1::VerificationService;
using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr char kKyc[] = "spiffe://cluster.local/ns/kyc/sa/onboarding";

Json Rule(const std::string& identity, const Json& tenants, const Json& methods) {
  return {{"identity", identity}, {"tenants", tenants}, {"methods", methods}};
}

class MtlsTest : public testing::Test {
 protected:
  Json Config(const std::string& identity, const Json& callers) {
    Json config = BasicConfig(sandbox_.base_url());
    config["listen"]["tls"] = {{"cert_file", certificates_.cert_file()},
                               {"key_file", certificates_.key_file()},
                               {"client_ca_file", certificates_.ca_file()}};
    if (!identity.empty()) config["authentication"] = {{"mtls", {{"identity", identity}}}};
    config["callers"] = callers;
    return config;
  }

  void Start(const std::string& identity, const Json& callers) {
    gateway_.emplace(Config(identity, callers));
  }

  Client Connect(const std::string& certificate) const {
    return ConnectTls(gateway_->addresses()[0], certificates_, certificates_, certificate);
  }

  static Outcome ListDocumentTypes(const Client& client, const CallOptions& options = {}) {
    ListDocumentTypesRequest request;
    request.set_country("NG");
    return client.Call(&ReferenceService::Stub::ListDocumentTypes, request, options);
  }

  void ExpectKnown(const std::string& certificate) const {
    const Outcome outcome = ListDocumentTypes(Connect(certificate));
    EXPECT_TRUE(outcome.ok()) << certificate << ": " << testing::PrintToString(outcome);
  }

  void ExpectUnknown(const std::string& certificate) const {
    const Outcome outcome = ListDocumentTypes(Connect(certificate));
    EXPECT_EQ(outcome.status.error_code(), StatusCode::UNAUTHENTICATED) << certificate;
    EXPECT_EQ(outcome.reason(), "CALLER_UNAUTHENTICATED") << certificate;
    EXPECT_EQ(outcome.status.error_message(), "this gateway does not know the caller");
  }

  static void ExpectNoConnection(const Client& client) {
    const Outcome outcome = ListDocumentTypes(client);
    EXPECT_EQ(outcome.status.error_code(), StatusCode::UNAVAILABLE)
        << testing::PrintToString(outcome);
    EXPECT_FALSE(outcome.has_details);
  }

  size_t Received() const { return sandbox_.Requests("").size(); }

  const TestCertificates certificates_;
  Sandbox sandbox_;
  std::optional<Gateway> gateway_;
};

TEST_F(MtlsTest, ASpiffeIdThatAuthorityAndPolicyKnowMayCall) {
  certificates_.Issue("kyc", absl::StrCat("URI:", kKyc));
  certificates_.Issue("batch", "URI:spiffe://cluster.local/ns/kyc/sa/batch,DNS:batch.kyc");
  certificates_.Issue("stranger", "URI:spiffe://cluster.local/ns/other/sa/onboarding");
  certificates_.Issue("two", absl::StrCat("URI:", kKyc, ",URI:spiffe://cluster.local/ns/kyc/b"));
  certificates_.Issue("none", "DNS:localhost");
  certificates_.Issue("local", "DNS:local");
  certificates_.Issue("star", "URI:spiffe://cluster.local/ns/kyc/*");
  Start("", Json::array({Rule("spiffe://cluster.local/ns/kyc/*", {"*"}, {"*"})}));

  ExpectKnown("kyc");
  ExpectKnown("batch");
  const size_t received = Received();
  for (const char* certificate : {"stranger", "two", "none", "local", "star"}) {
    ExpectUnknown(certificate);
  }
  EXPECT_EQ(Received(), received);
}

TEST_F(MtlsTest, NobodyConnectsWithoutACertificateOfTheAuthority) {
  certificates_.Issue("kyc", absl::StrCat("URI:", kKyc));
  const TestCertificates others;
  others.Issue("kyc", absl::StrCat("URI:", kKyc));
  certificates_.Issue("expired", absl::StrCat("URI:", kKyc),
                      "-startdate 20000101000000Z -enddate 20000201000000Z");
  Start("spiffe", Json::array({Rule("*", {"*"}, {"*"})}));
  const std::string& address = gateway_->addresses()[0];

  ExpectNoConnection(ConnectTls(address, certificates_, certificates_, ""));
  ExpectNoConnection(ConnectTls(address, certificates_, others, "kyc"));
  ExpectNoConnection(ConnectTls(address, certificates_, certificates_, "expired"));
  ExpectNoConnection(ConnectTls(address, others, certificates_, "kyc"));
  ExpectNoConnection(
      Client(grpc::CreateChannel(address, grpc::InsecureChannelCredentials())));  // no TLS
  ExpectKnown("kyc");
}

TEST_F(MtlsTest, ADnsNameOrTheSubjectMayBeTheIdentity) {
  certificates_.Issue("first", "DNS:other.kyc,DNS:onboarding.kyc");
  certificates_.Issue("second", "DNS:other.kyc");
  certificates_.Issue("local", "DNS:local");
  certificates_.Issue("spiffe", absl::StrCat("URI:", kKyc));
  Start("dns", {Rule("onboarding.kyc", {"*"}, {"*"}), Rule("l*", {"*"}, {"*"})});
  ExpectKnown("first");
  for (const char* certificate : {"second", "local", "spiffe"}) ExpectUnknown(certificate);

  gateway_.reset();
  Start("subject", Json::array({Rule("CN=first", {"*"}, {"*"})}));
  ExpectKnown("first");
  ExpectUnknown("second");
}

TEST_F(MtlsTest, AUnixSocketBesideItIsLocal) {
  certificates_.Issue("kyc", absl::StrCat("URI:", kKyc));
  const TempDir dir;
  const std::string socket = "unix:" + dir.Path("gateway.sock");
  Json config = Config("spiffe", Json::array({Rule("local", {"*"}, {"*"})}));
  config["listen"]["grpc"].push_back(socket);
  gateway_.emplace(config);

  EXPECT_TRUE(ListDocumentTypes(Client(e2e::Connect(socket))).ok());
  ExpectUnknown("kyc");
}

// Who, for which tenant, what: every cell.
TEST_F(MtlsTest, EachMayDoWhatItsRuleSaysAndNothingElse) {
  certificates_.Issue("both", "URI:spiffe://c/both");
  certificates_.Issue("one", "URI:spiffe://c/one");
  certificates_.Issue("few", "URI:spiffe://c/few");
  certificates_.Issue("nobody", "URI:spiffe://d/nobody");
  Json config = Config(
      "spiffe", {Rule("spiffe://c/*", {"acme"}, {"kora.idv.v1.ReferenceService/ListDocumentTypes"}),
                 Rule("spiffe://c/both", {"*"}, {"*"}),
                 Rule("spiffe://c/one", {"acme"}, {"kora.idv.v1.ReferenceService/*"})});
  config["tenants"].push_back(config["tenants"][0]);
  config["tenants"][1]["name"] = "bolt";
  gateway_.emplace(config);

  struct Row {
    std::string certificate;
    std::string tenant;
    std::string types;         // the reason, or "" for OK
    std::string verification;  // the same of another method
  };
  const std::string no_method = "METHOD_NOT_ALLOWED";
  const std::string no_tenant = "TENANT_NOT_ALLOWED";
  const std::string which = "TENANT_REQUIRED";
  const std::string who = "CALLER_UNAUTHENTICATED";
  const std::string not_found = "VERIFICATION_NOT_FOUND";
  const std::vector<Row> rows = {
      {"both", "acme", "", not_found},
      {"both", "bolt", "", not_found},
      {"both", "", which, which},
      {"both", "corp", no_tenant, no_tenant},
      {"both", "*", no_tenant, no_tenant},
      {"both", "ACME", no_tenant, no_tenant},
      {"one", "acme", "", no_method},
      {"one", "bolt", no_tenant, no_method},
      {"one", "", "", no_method},
      {"few", "acme", "", no_method},
      {"few", "bolt", no_tenant, no_method},
      {"few", "", "", no_method},
      {"nobody", "acme", who, who},
      {"nobody", "", who, who},
  };
  const std::map<std::string, StatusCode> codes = {{"", StatusCode::OK},
                                                   {no_method, StatusCode::PERMISSION_DENIED},
                                                   {no_tenant, StatusCode::PERMISSION_DENIED},
                                                   {which, StatusCode::INVALID_ARGUMENT},
                                                   {who, StatusCode::UNAUTHENTICATED},
                                                   {not_found, StatusCode::NOT_FOUND}};
  for (const Row& row : rows) {
    SCOPED_TRACE(absl::StrCat(row.certificate, " for '", row.tenant, "'"));
    const Client client = Connect(row.certificate);
    CallOptions options;
    if (!row.tenant.empty()) options.metadata = {{"x-idv-tenant", row.tenant}};
    const Outcome types = ListDocumentTypes(client, options);
    EXPECT_EQ(types.reason(), row.types);
    EXPECT_EQ(types.status.error_code(), codes.at(row.types));

    GetVerificationRequest request;
    request.set_verification_id("00000000-0000-0000-0000-000000000000");
    const Outcome verification =
        client.Call(&VerificationService::Stub::GetVerification, request, options);
    EXPECT_EQ(verification.reason(), row.verification);
    EXPECT_EQ(verification.status.error_code(), codes.at(row.verification));
  }
}

// The certificate that the gateway shows on a new connection.
class ServerCertificateTest : public MtlsTest {
 protected:
  ServerCertificateTest() {
    certificates_.Issue("kyc", absl::StrCat("URI:", kKyc));
    Start("spiffe", Json::array({Rule(kKyc, {"*"}, {"*"})}));
  }

  std::string Shown() const {
    const Client client = Connect("kyc");
    grpc::ClientContext context;
    kora::idv::v1::UpstreamHealth health;
    const auto stub = ReferenceService::NewStub(client.channel());
    EXPECT_TRUE(stub->GetUpstreamHealth(&context, {}, &health).ok());
    const auto found = context.auth_context()->FindPropertyValues("x509_pem_cert");
    return found.empty() ? "" : std::string(found[0].data(), found[0].size());
  }

  bool IsShownSoon(const std::string& certificate) const {
    return WaitUntil([&] { return Shown() == certificate; });
  }

  // Puts it into the place of the gateway's, the certificate after the key.
  void Put(const std::string& name) const {
    using std::filesystem::copy_options;
    copy(std::filesystem::path(certificates_.key_file(name)), certificates_.key_file(),
         copy_options::overwrite_existing);
    copy(std::filesystem::path(certificates_.cert_file(name)), certificates_.cert_file(),
         copy_options::overwrite_existing);
  }

  std::string Pem(const std::string& name) const { return ReadFile(certificates_.cert_file(name)); }
};

TEST_F(ServerCertificateTest, IsReplacedWithoutARestartAndOldConnectionsStay) {
  certificates_.Issue("next", "DNS:localhost");
  const Client before = Connect("kyc");
  EXPECT_TRUE(ListDocumentTypes(before).ok());
  EXPECT_EQ(Shown(), Pem("server"));

  Put("next");

  EXPECT_TRUE(IsShownSoon(Pem("next")));
  EXPECT_TRUE(ListDocumentTypes(before).ok());
  EXPECT_EQ(before.channel()->GetState(false), GRPC_CHANNEL_READY);
}

TEST_F(ServerCertificateTest, IsKeptWhileTheFilesCannotBeUsed) {
  certificates_.Issue("next", "DNS:localhost");
  const std::string old = Pem("server");
  const std::string key = ReadFile(certificates_.key_file());
  const std::string next = Pem("next");
  const auto expect_kept = [&](const std::string& why) {
    EXPECT_TRUE(WaitUntil([&] { return absl::StrContains(gateway_->process().Err(), why); }))
        << gateway_->process().Err();
    EXPECT_EQ(Shown(), old);
  };

  std::ofstream(certificates_.cert_file()) << next;  // of another key
  expect_kept("is not the key of the certificate in");
  std::ofstream(certificates_.cert_file()) << next.substr(0, next.size() / 2);
  expect_kept("holds no PEM certificates");
  std::ofstream(certificates_.cert_file()) << old;
  std::filesystem::remove(certificates_.key_file());
  expect_kept("cannot be read: No such file or directory");
  EXPECT_THAT(gateway_->process().Err(), testing::Not(HasSubstr(key.substr(40, 20))));

  Put("next");
  EXPECT_TRUE(IsShownSoon(next));
}

TEST_F(ServerCertificateTest, IsReadAgainWhenAskedByASignal) {
  certificates_.Issue("next", "DNS:localhost");
  gateway_->process().Signal(SIGHUP);
  Put("next");
  gateway_->process().Signal(SIGHUP);

  EXPECT_TRUE(IsShownSoon(Pem("next")));
  EXPECT_EQ(gateway_->Stop(), 0);
}

TEST_F(ServerCertificateTest, ChangesManyTimesUnderLoadWithoutAFailedCall) {
  constexpr int kRotations = 10;
  std::vector<std::string> names;
  for (int i = 0; i < kRotations; ++i) {
    names.push_back(absl::StrCat("next-", i));
    certificates_.Issue(names.back(), "DNS:localhost");
  }
  std::atomic<int> calls = 0;
  std::atomic<int> failed = 0;
  const auto call = [&](const Client& client) {
    const Outcome outcome = ListDocumentTypes(client);
    ++calls;
    if (!outcome.ok() && ++failed == 1) ADD_FAILURE() << testing::PrintToString(outcome);
  };
  {
    const std::jthread on_one([&, client = Connect("kyc")](const std::stop_token& stop) {
      for (; !stop.stop_requested(); std::this_thread::sleep_for(milliseconds(5))) call(client);
    });
    const std::jthread on_new([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) call(Connect("kyc"));
    });
    for (const std::string& name : names) {
      Put(name);
      EXPECT_TRUE(IsShownSoon(Pem(name)));
    }
  }
  EXPECT_GT(calls, 100);
  EXPECT_EQ(failed, 0);
}

TEST_F(MtlsTest, FilesThatCannotBeUsedStopTheStart) {
  certificates_.Issue("other", "DNS:localhost");
  const TempDir dir;
  for (const bool checks : {false, true}) {
    Json config = Config("spiffe", Json::array({Rule(kKyc, {"*"}, {"*"})}));
    config["listen"]["tls"]["key_file"] = certificates_.key_file("other");
    const auto process =
        RunGateway(dir.Write("gateway.yaml", config.dump()),
                   checks ? std::vector<std::string>{"--check"} : std::vector<std::string>{});
    EXPECT_EQ(process->Wait(), 2);
    EXPECT_THAT(process->Err(), HasSubstr("listen.tls"));
    EXPECT_THAT(process->Err(), HasSubstr("is not the key of the certificate in"));
  }
}

}  // namespace
}  // namespace idv::e2e
