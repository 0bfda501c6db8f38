// TLS to the upstream that does not come about, or takes its time.

#include <gmock/gmock.h>

#include <chrono>
#include <fstream>
#include <future>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/e2e/attempt.h"
#include "tests/e2e/gateway.h"
#include "tests/e2e/relay.h"
#include "tests/e2e/sandbox.h"
#include "tests/e2e/steps.h"
#include "tests/e2e/tls_connection.h"
#include "tests/upstream/certificates.h"
#include "tests/upstream/nghttpx.h"

namespace idv::e2e {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr milliseconds kPatience{5000};
// Long before the patience is over, however busy the machine is.
constexpr milliseconds kAtOnce{500};
constexpr milliseconds kConnectTimeout{1000};

std::vector<std::string> TlsFlags(const TestCertificates& certificates) {
  return {"--tls-cert", certificates.cert_file(), "--tls-key", certificates.key_file()};
}

Json ConfigFor(const std::string& scheme, int port, const std::string& ca_file) {
  Json config = BasicConfig(scheme + "://localhost:" + std::to_string(port) + "/api/v1/idv");
  if (!ca_file.empty()) config["upstream"]["ca_file"] = ca_file;
  config["upstream"]["connect_timeout"] = std::to_string(kConnectTimeout.count()) + "ms";
  return config;
}

// A gateway and who calls it.
struct Caller {
  Caller(const std::string& scheme, int port, const std::string& ca_file)
      : Caller(ConfigFor(scheme, port, ca_file)) {}
  explicit Caller(const Json& config, const std::map<std::string, std::string>& environment = {})
      : gateway(config, environment) {}

  Attempt Get(milliseconds timeout = kPatience) const { return TryGet(client, timeout); }
  Attempt Post(milliseconds timeout = kPatience) const { return TryPost(client, timeout); }
  // Both fail at once.
  void ExpectLostAtOnce(const std::string& message) const {
    for (const Attempt& attempt : {Get(), Post()}) {
      ExpectTold(attempt, kLost);
      EXPECT_THAT(attempt.status.error_message(), HasSubstr(message));
      EXPECT_LT(attempt.took, kAtOnce);
    }
  }

  Gateway gateway;
  const Client client{Connect(gateway.addresses()[0])};
};

TEST(UpstreamCertificateTest, ThatIsNotTrustedGetsNoRequest) {
  const std::vector<std::pair<std::string, TestCertificates::Options>> wrong = {
      {"expired", {.from = "20000101000000Z", .until = "20000201000000Z"}},
      {"not yet valid", {.from = "20900101000000Z", .until = "20900201000000Z"}},
      {"of another host", {.host = "another.test"}},
  };
  for (const auto& [what, options] : wrong) {
    SCOPED_TRACE(what);
    const TestCertificates certificates(options);
    const Sandbox sandbox(TlsFlags(certificates));
    const Caller caller("https", sandbox.port(), certificates.ca_file());

    caller.ExpectLostAtOnce("certificate is not trusted");

    EXPECT_EQ(sandbox.Requests(), Json::array());
  }
}

TEST(UpstreamCertificateTest, OfAnUnknownAuthorityGetsNoRequest) {
  const TestCertificates certificates;
  const TestCertificates others;
  const Sandbox sandbox(TlsFlags(certificates));
  // An empty one: the system's authorities.
  for (const std::string& ca_file : {std::string(), others.ca_file()}) {
    const Caller caller("https", sandbox.port(), ca_file);

    caller.ExpectLostAtOnce("certificate is not trusted");

    EXPECT_EQ(sandbox.Requests(), Json::array());
  }
}

TEST(UpstreamCertificateTest, IsTrustedAgainOnceTheUpstreamHasRenewedIt) {
  const TestCertificates expired({.from = "20000101000000Z", .until = "20000201000000Z"});
  const TestCertificates renewed;
  std::optional<Sandbox> sandbox(std::in_place, TlsFlags(expired));
  const int port = sandbox->port();
  const TempDir dir;
  const std::string both =
      dir.Write("both.pem", ReadFile(expired.ca_file()) + ReadFile(renewed.ca_file()));
  const Caller caller("https", port, both);
  caller.ExpectLostAtOnce("certificate is not trusted");

  sandbox.reset();
  sandbox.emplace(TlsFlags(renewed), port);

  ExpectTold(caller.Post(), kFine);
  ExpectTold(caller.Get(), kFine);
}

TEST(UpstreamCertificateTest, MustHaveAPinnedKey) {
  const TestCertificates certificates;
  const TestCertificates others;
  const Sandbox sandbox(TlsFlags(certificates));
  Json config = ConfigFor("https", sandbox.port(), certificates.ca_file());

  config["upstream"]["pin"] = {others.Pin()};
  Caller(config).ExpectLostAtOnce("the upstream's public key is not one of upstream.pin");
  EXPECT_EQ(sandbox.Requests(), Json::array());

  config["upstream"]["pin"] = {others.Pin(), certificates.Pin()};
  const Caller caller(config);
  ExpectTold(caller.Post(), kFine);
  ExpectTold(caller.Get(), kFine);
}

TEST(UpstreamClientCertificateTest, IsShownAndReadAgainForEachNewConnection) {
  const TestCertificates certificates;
  certificates.Issue("client", "");
  const Sandbox sandbox;
  const std::vector<std::string> verify = {"--verify-client",
                                           "--verify-client-cacert=" + certificates.ca_file()};
  std::optional<Nghttpx> proxy(std::in_place, certificates, sandbox.port(), 0, verify);
  const int port = proxy->port();
  const auto renew_proxy = [&] {
    proxy.reset();
    proxy.emplace(certificates, sandbox.port(), port, verify);
  };
  Json config = ConfigFor("https", port, certificates.ca_file());
  ExpectTold(Caller(config).Post(), kLost);
  EXPECT_EQ(sandbox.Requests(), Json::array());

  config["upstream"]["cert_file"] = certificates.cert_file("client");
  config["upstream"]["key_file"] = certificates.key_file("client");
  const Caller caller(config);
  ExpectTold(caller.Post(), kFine);

  std::ofstream(certificates.key_file("client")) << "half of a key";
  renew_proxy();
  caller.ExpectLostAtOnce("the client certificate for the upstream cannot be used");

  certificates.Issue("client", "");
  ExpectTold(caller.Post(), kFine);
  EXPECT_EQ(sandbox.Requests().size(), 2U);
}

// An OpenSSL that would speak TLS 1.1 all the same.
TEST(UpstreamProtocolTest, TlsBefore12IsLostAtOnce) {
  const TestCertificates certificates;
  const Sandbox sandbox;
  const Nghttpx proxy(certificates, sandbox.port(), 0,
                      {"--tls-min-proto-version=TLSv1.1", "--tls-max-proto-version=TLSv1.1",
                       "--ciphers=DEFAULT@SECLEVEL=0"});
  const TempDir dir;
  const std::string lenient =
      dir.Write("openssl.cnf",
                "openssl_conf=a\n[a]\nssl_conf=b\n[b]\nsystem_default=c\n"
                "[c]\nMinProtocol=TLSv1\nCipherString=DEFAULT@SECLEVEL=0\n");
  const Caller caller(ConfigFor("https", proxy.port(), certificates.ca_file()),
                      {{"OPENSSL_CONF", lenient}});

  caller.ExpectLostAtOnce("TLS handshake");

  EXPECT_EQ(sandbox.Requests(), Json::array());
}

TEST(UpstreamProtocolTest, PlainHttpOnATlsPortIsLostAtOnce) {
  const Sandbox plain;
  const Caller caller("https", plain.port(), "");

  caller.ExpectLostAtOnce("TLS handshake");

  EXPECT_EQ(plain.Requests(), Json::array());
}

TEST(UpstreamProtocolTest, TlsOnAPlainHttpPortIsLostAtOnce) {
  const TestCertificates certificates;
  const Sandbox sandbox(TlsFlags(certificates));
  const Caller caller("http", sandbox.port(), "");

  caller.ExpectLostAtOnce("");

  EXPECT_EQ(sandbox.Requests(), Json::array());
}

class UpstreamHandshakeTest : public testing::Test {
 protected:
  const TestCertificates certificates_;
  const Sandbox sandbox_{TlsFlags(certificates_)};
  Relay relay_{sandbox_.port()};
  const Caller caller_{"https", relay_.port(), certificates_.ca_file()};
};

TEST_F(UpstreamHandshakeTest, ThatIsNeverAnsweredEndsAtTheDeadline) {
  relay_.Stall();

  ExpectTold(InTime([&] { return caller_.Get(milliseconds(300)); }), kTimedOut);
  ExpectTold(InTime([&] { return caller_.Post(milliseconds(300)); }), kTimedOut);

  EXPECT_EQ(sandbox_.Requests(), Json::array());
}

TEST_F(UpstreamHandshakeTest, ThatIsNeverAnsweredEndsAtTheConnectTimeout) {
  relay_.Stall();

  const Attempt post = caller_.Post();

  ExpectTold(post, kLost);
  EXPECT_GE(post.took, kConnectTimeout);
  EXPECT_LE(post.took, kConnectTimeout + kAtOnce);
  EXPECT_EQ(sandbox_.Requests(), Json::array());
}

TEST_F(UpstreamHandshakeTest, ThatIsAnsweredByteByByteEndsAtTheConnectTimeoutAllTheSame) {
  relay_.Slow(milliseconds(20));

  const Attempt post = caller_.Post();

  ExpectTold(post, kLost);
  EXPECT_GE(post.took, kConnectTimeout);
  EXPECT_LE(post.took, kConnectTimeout + kAtOnce);
  EXPECT_EQ(sandbox_.Requests(), Json::array());
}

TEST_F(UpstreamHandshakeTest, ThatIsSlowCostsNoCallWhenItEndsInTime) {
  relay_.Slow(microseconds(100));

  ExpectTold(caller_.Post(), kFine);
  EXPECT_EQ(sandbox_.Requests().size(), 1U);
}

// Small requests wait for the first connection, in case it can carry them all.
TEST_F(UpstreamHandshakeTest, ThatHangsHoldsOthersUpNoLongerThanTheConnectTimeout) {
  relay_.Stall();
  PendingGet stuck(caller_.client, "any");
  ASSERT_TRUE(WaitUntil([&] { return relay_.accepted() == 1; }));
  relay_.Pass();

  const Attempt attempt = caller_.Post();

  ExpectTold(attempt, kFine);
  EXPECT_LE(attempt.took, kConnectTimeout + kAtOnce);
  EXPECT_EQ(stuck.Finish().reason(), kLost.reason);
}

TEST_F(UpstreamHandshakeTest, ThatHangsHoldsOthersUpNoLongerThanItsOwnCall) {
  relay_.Stall();
  PendingGet stuck(caller_.client, "any");
  ASSERT_TRUE(WaitUntil([&] { return relay_.accepted() == 1; }));
  relay_.Pass();
  std::future<Attempt> other = std::async(std::launch::async, [&] { return caller_.Get(); });

  stuck.Cancel();

  const Attempt attempt = other.get();
  ExpectTold(attempt, kFine);
  EXPECT_LT(attempt.took, kAtOnce);
}

}  // namespace
}  // namespace idv::e2e
