#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/upstream/client_on_loop.h"
#include "tests/upstream/nghttpx.h"
#include "tests/upstream/stub_server.h"

namespace idv {
namespace {

using Result = ClientOnLoop::Result;

// A server with TLS and HTTP/2 in front of a plain one; only this test trusts its certificate.
class TlsTest : public testing::Test {
 protected:
  std::string ProtocolOf(size_t request) {
    return backend_.requests().at(request).headers.at("via");
  }

  StubServer backend_{[](const auto&) { return StubServer::Http(200, "{}"); }};
  const TestCertificates certificates_;
  const Nghttpx server_{certificates_, backend_.port()};
};

TEST_F(TlsTest, TrustsTheGivenAuthorityAndSendsSmallRequestsByHttp2) {
  ClientOnLoop client({.ca_file = certificates_.ca_file()});

  const Result get = client.Send(Get(server_.url() + "/a"));
  const Result post = client.Send(Post(server_.url() + "/b", "{}"));

  ASSERT_TRUE(get.ok()) << get.status();
  ASSERT_TRUE(post.ok()) << post.status();
  EXPECT_EQ(ProtocolOf(0), "2 nghttpx");
  EXPECT_EQ(ProtocolOf(1), "2 nghttpx");
  EXPECT_EQ(backend_.requests().at(1).body, "{}");
}

TEST_F(TlsTest, SendsLargeBodiesByHttp11EvenWhenAnHttp2ConnectionIsOpen) {
  ClientOnLoop client({.ca_file = certificates_.ca_file()});
  const std::string small_image(30'000, 's');
  const std::string large_image(40'000, 'l');
  ASSERT_TRUE(client.Send(Get(server_.url())).ok());

  const Result small = client.Send(Post(server_.url(), "", small_image));
  const Result large = client.Send(Post(server_.url(), "", large_image));
  const Result again = client.Send(Get(server_.url()));

  ASSERT_TRUE(small.ok() && large.ok() && again.ok()) << large.status();
  EXPECT_EQ(ProtocolOf(1), "2 nghttpx");
  EXPECT_EQ(ProtocolOf(2), "1.1 nghttpx");
  EXPECT_EQ(backend_.requests().at(2).body.size(), (large_image.size() + 2) / 3 * 4);
  EXPECT_EQ(ProtocolOf(3), "2 nghttpx");
}

TEST_F(TlsTest, SharesOneHttp2ConnectionAmongRequestsThatStartTogether) {
  ClientOnLoop client({.ca_file = certificates_.ca_file()});
  Cancellation cancel;
  std::vector<std::future<Result>> responses;

  for (int i = 0; i < 50; ++i) {
    responses.push_back(client.Start(Get(server_.url()), std::chrono::seconds(30), cancel));
  }

  for (auto& response : responses) EXPECT_TRUE(response.get().ok());
  for (size_t i = 0; i < 50; ++i) EXPECT_EQ(ProtocolOf(i), "2 nghttpx");
}

TEST_F(TlsTest, AbortsOneHttp2RequestAndLeavesTheOthers) {
  StubServer slow([](const StubServer::Request& request) {
    if (request.target == "/hang") return StubServer::Reply{.bytes = "", .hang = true};
    return StubServer::Http(200, "{}");
  });
  const Nghttpx server(certificates_, slow.port());
  ClientOnLoop client({.ca_file = certificates_.ca_file()});
  Cancellation cancel;
  auto hanging = client.Start(Get(server.url() + "/hang"), std::chrono::seconds(30), cancel);
  while (slow.requests().empty()) std::this_thread::yield();

  client.running().Do([&] { cancel.Fire(); });

  EXPECT_EQ(hanging.get().status().code(), absl::StatusCode::kCancelled);
  EXPECT_TRUE(client.Send(Get(server.url() + "/other")).ok());
}

TEST_F(TlsTest, RefusesACertificateOfAnUnknownAuthority) {
  ClientOnLoop client;

  const Result response = client.Send(Get(server_.url()));

  EXPECT_EQ(response.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(response.status().message()), testing::HasSubstr("not trusted"));
  EXPECT_TRUE(backend_.requests().empty());
}

TEST_F(TlsTest, RefusesACertificateOfAnotherHost) {
  ClientOnLoop client({.ca_file = certificates_.ca_file()});
  std::string url = server_.url();
  url.replace(url.find("localhost"), 9, "127.0.0.1");

  const Result response = client.Send(Get(url));

  EXPECT_EQ(response.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(backend_.requests().empty());
}

TEST_F(TlsTest, SaysWhenTheServerSpeaksNoTls) {
  ClientOnLoop client({.ca_file = certificates_.ca_file()});

  const Result response = client.Send(Get("https://localhost:" + std::to_string(backend_.port())));

  EXPECT_EQ(response.status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(TlsTest, SaysWhenTheFileOfAuthoritiesIsMissing) {
  ClientOnLoop client({.ca_file = "/no/such/file"});

  EXPECT_EQ(client.Send(Get(server_.url())).status().code(), absl::StatusCode::kUnavailable);
}

class PinTest : public TlsTest {
 protected:
  Result Send(std::vector<std::string> pins) const {
    ClientOnLoop client({.ca_file = certificates_.ca_file(), .pins = std::move(pins)});
    return client.Send(Get(server_.url()));
  }

  const TestCertificates others_;
};

TEST_F(PinTest, TakesAServerThatHasOneOfTheKeys) {
  const Result one = Send({certificates_.Pin()});
  const Result first = Send({certificates_.Pin(), others_.Pin()});
  const Result second = Send({others_.Pin(), certificates_.Pin()});

  EXPECT_TRUE(one.ok()) << one.status();
  EXPECT_TRUE(first.ok()) << first.status();
  EXPECT_TRUE(second.ok()) << second.status();
}

TEST_F(PinTest, RefusesATrustedServerThatHasNoneOfThem) {
  certificates_.Issue("more", "DNS:localhost");
  for (const std::vector<std::string>& pins :
       {std::vector{others_.Pin()}, {others_.Pin(), certificates_.Pin("more")}}) {
    const Result response = Send(pins);

    EXPECT_EQ(response.status().code(), absl::StatusCode::kUnavailable);
    EXPECT_EQ(response.status().message(), "the upstream's public key is not one of upstream.pin");
  }
  EXPECT_TRUE(backend_.requests().empty());
}

TEST_F(PinTest, TrustsNobodyForTheirKeyAlone) {
  ClientOnLoop client({.ca_file = others_.ca_file(), .pins = {certificates_.Pin()}});

  const Result response = client.Send(Get(server_.url()));

  EXPECT_THAT(std::string(response.status().message()), testing::HasSubstr("not trusted"));
  EXPECT_TRUE(backend_.requests().empty());
}

// A server that wants a client certificate of its own authority.
class ClientCertificateTest : public testing::Test {
 protected:
  ClientCertificateTest() { certificates_.Issue("client", ""); }

  HttpClient::Options Shown(const std::string& cert_file, const std::string& key_file) const {
    return {.ca_file = certificates_.ca_file(), .cert_file = cert_file, .key_file = key_file};
  }
  HttpClient::Options Shown() const {
    return Shown(certificates_.cert_file("client"), certificates_.key_file("client"));
  }
  // Puts that of another authority into the files.
  void Spoil() const {
    others_.Issue("client", "");
    Replace(others_.cert_file("client"), certificates_.cert_file("client"));
    Replace(others_.key_file("client"), certificates_.key_file("client"));
  }
  static void Replace(const std::string& from, const std::string& to) {
    std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing);
  }
  // Large enough for a connection of its own, which speaks HTTP/1.1, whatever there is already.
  Result SendOverAnother(ClientOnLoop& client) const {
    return client.Send(Post(server_.url(), large_text_));
  }

  StubServer backend_{[](const auto&) { return StubServer::Http(200, "{}"); }};
  const TestCertificates certificates_;
  const TestCertificates others_;
  const Nghttpx server_{certificates_,
                        backend_.port(),
                        0,
                        {"--verify-client", "--verify-client-cacert=" + certificates_.ca_file()}};
  const std::string large_text_ = std::string(HttpClient::kLargeBody + 1, ' ');
};

TEST_F(ClientCertificateTest, IsShownOverHttp2AndHttp11) {
  ClientOnLoop client(Shown());

  const Result small = client.Send(Get(server_.url()));
  const Result large = SendOverAnother(client);

  ASSERT_TRUE(small.ok()) << small.status();
  ASSERT_TRUE(large.ok()) << large.status();
  EXPECT_EQ(backend_.requests().at(0).headers.at("via"), "2 nghttpx");
  EXPECT_EQ(backend_.requests().at(1).headers.at("via"), "1.1 nghttpx");
}

TEST_F(ClientCertificateTest, ThatIsMissingOrWrongIsRefusedByTheServer) {
  others_.Issue("client", "");
  for (const HttpClient::Options& options :
       {HttpClient::Options{.ca_file = certificates_.ca_file()},
        Shown(others_.cert_file("client"), others_.key_file("client"))}) {
    ClientOnLoop client(options);

    EXPECT_EQ(client.Send(Get(server_.url())).status().code(), absl::StatusCode::kUnavailable);
  }
  EXPECT_TRUE(backend_.requests().empty());
}

TEST_F(ClientCertificateTest, IsThatOfTheFilesAsSoonAsAConnectionBegins) {
  Spoil();
  ClientOnLoop client(Shown());
  ASSERT_FALSE(client.Send(Get(server_.url())).ok());

  certificates_.Issue("client", "");

  const Result renewed = client.Send(Get(server_.url()));
  EXPECT_TRUE(renewed.ok()) << renewed.status();
}

// Neither would the session of a connection before stand for the new one.
TEST_F(ClientCertificateTest, ThatWasShownBeforeIsNotShownAgainOnceTheFilesHoldAnother) {
  ClientOnLoop client(Shown());
  ASSERT_TRUE(client.Send(Get(server_.url())).ok());

  Spoil();

  EXPECT_FALSE(SendOverAnother(client).ok());
  const Result kept = client.Send(Get(server_.url()));
  EXPECT_TRUE(kept.ok()) << kept.status();
}

TEST_F(ClientCertificateTest, ThatCannotBeUsedIsSaidAndNothingSent) {
  others_.Issue("client", "");
  const std::string locked = certificates_.key_file("locked");
  const std::string lock = "openssl pkey -aes256 -passout pass:open -in " +
                           certificates_.key_file("client") + " -out " + locked;
  ASSERT_EQ(std::system(lock.c_str()), 0);  // NOLINT: a fixed command
  const std::string cert = certificates_.cert_file("client");
  for (const HttpClient::Options& options :
       {Shown("/no/such/file", certificates_.key_file("client")), Shown(cert, "/no/such/file"),
        Shown(cert, others_.key_file("client")), Shown(cert, cert), Shown(cert, locked)}) {
    ClientOnLoop client(options);

    const Result response = client.Send(Get(server_.url()));

    EXPECT_EQ(response.status().code(), absl::StatusCode::kUnavailable);
    EXPECT_EQ(response.status().message(), "the client certificate for the upstream cannot be used")
        << options.cert_file << " " << options.key_file;
  }
  EXPECT_TRUE(backend_.requests().empty());
}

}  // namespace
}  // namespace idv
