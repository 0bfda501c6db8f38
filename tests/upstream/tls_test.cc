#include <chrono>
#include <future>
#include <string>
#include <thread>
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

}  // namespace
}  // namespace idv
