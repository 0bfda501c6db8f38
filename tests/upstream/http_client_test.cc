#include "upstream/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/upstream/client_on_loop.h"
#include "tests/upstream/stub_server.h"

namespace idv {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Reply = StubServer::Reply;

using Client = ClientOnLoop;
using Result = ClientOnLoop::Result;

TEST(HttpClientTest, BringsBackStatusHeadersAndBody) {
  StubServer server(
      [](const auto&) { return StubServer::Http(404, "gone", "X-Thing:  a b \r\n"); });
  Client client;

  const Result response = client.Send(Get(server.url() + "/a?b=c"));

  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->status, 404);
  EXPECT_EQ(response->body, "gone");
  EXPECT_EQ(response->Header("x-thing"), "a b");
  EXPECT_EQ(response->Header("x-other"), std::nullopt);
  EXPECT_EQ(server.requests().at(0).verb, "GET");
  EXPECT_EQ(server.requests().at(0).target, "/a?b=c");
}

TEST(HttpClientTest, SendsHeadersAndABodyOfExactLength) {
  StubServer server([](const auto&) { return StubServer::Http(200, ""); });
  Client client({.user_agent = "tester/1"});
  const std::string image(100'000, 'i');
  HttpRequest request = Post(server.url() + "/up", "{", image);
  request.headers = {{"X-One", "1"}, {"X-Two", "zwei"}};

  const Result response = client.Send(std::move(request));

  ASSERT_TRUE(response.ok()) << response.status();
  const auto sent = server.requests().at(0);
  EXPECT_EQ(sent.verb, "POST");
  EXPECT_EQ(sent.headers.at("x-one"), "1");
  EXPECT_EQ(sent.headers.at("x-two"), "zwei");
  EXPECT_EQ(sent.headers.at("user-agent"), "tester/1");
  EXPECT_EQ(sent.headers.at("content-type"), "application/json");
  EXPECT_EQ(sent.headers.at("accept"), "application/json");
  EXPECT_FALSE(sent.headers.contains("expect"));
  EXPECT_EQ(sent.body.size(), 1 + (image.size() + 2) / 3 * 4);
}

TEST(HttpClientTest, SendsOtherVerbsWithTheirBody) {
  StubServer server([](const auto&) { return StubServer::Http(200, ""); });
  Client client;
  HttpRequest request = Post(server.url() + "/x", "{}");
  request.verb = "PUT";

  ASSERT_TRUE(client.Send(std::move(request)).ok());
  ASSERT_TRUE(client.Send(Get(server.url() + "/y")).ok());

  EXPECT_EQ(server.requests().at(0).verb, "PUT");
  EXPECT_EQ(server.requests().at(0).body, "{}");
  EXPECT_EQ(server.requests().at(1).verb, "GET");
}

TEST(HttpClientTest, UsesAConnectionAgain) {
  StubServer server([](const auto&) { return StubServer::Http(200, "{}"); });
  Client client;

  for (int i = 0; i < 5; ++i) ASSERT_TRUE(client.Send(Get(server.url() + "/")).ok());
  ASSERT_TRUE(client.Send(Post(server.url() + "/", "{}")).ok());

  EXPECT_EQ(server.requests().size(), 6U);
  EXPECT_EQ(server.requests().back().connection, 0);
}

TEST(HttpClientTest, ClosesItsConnectionsWhenTheyAreNotUsedForAWhile) {
  StubServer server([](const auto&) { return StubServer::Http(200, "{}"); });
  Client client({.max_idle = seconds(1)});
  ASSERT_TRUE(client.Send(Get(server.url())).ok());
  EXPECT_EQ(server.open_connections(), 1U);

  while (server.open_connections() > 0) std::this_thread::yield();

  ASSERT_TRUE(client.Send(Get(server.url())).ok());
  EXPECT_EQ(server.requests().back().connection, 1);
}

TEST(HttpClientTest, KeepsTheHeadersOfTheFinalResponseOnly) {
  StubServer server([](const auto&) {
    Reply reply = StubServer::Http(200, "ok", "X-Which: final\r\n");
    reply.bytes = "HTTP/1.1 103 Early\r\nX-Which: early\r\nX-Early: 1\r\n\r\n" + reply.bytes;
    return reply;
  });
  Client client;

  const Result response = client.Send(Get(server.url()));

  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->Header("X-Which"), "final");
  EXPECT_EQ(response->Header("X-Early"), std::nullopt);
}

TEST(HttpClientTest, TakesAResponseWithTrailersBehindItsBody) {
  StubServer server([](const auto&) {
    return Reply{.bytes =
                     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
                     "2\r\n{}\r\n0\r\nX-Sum: 1\r\n\r\n"};
  });
  Client client;

  const Result response = client.Send(Get(server.url()));

  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->body, "{}");
}

TEST(HttpClientTest, DoesNotFollowRedirects) {
  StubServer server(
      [](const auto&) { return StubServer::Http(302, "", "Location: /elsewhere\r\n"); });
  Client client;

  const Result response = client.Send(Get(server.url()));

  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->status, 302);
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST(HttpClientTest, AbortsAtTheDeadline) {
  StubServer server([](const auto&) { return Reply{.hang = true}; });
  Client client;
  const TimePoint start = Clock::now();

  const Result response = client.Send(Get(server.url()), milliseconds(100));

  EXPECT_EQ(response.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_GE(Clock::now() - start, milliseconds(100));
  while (server.hang_ups() == 0) std::this_thread::yield();
}

TEST(HttpClientTest, SendsNothingWhenTheDeadlineHasPassed) {
  StubServer server([](const auto&) { return StubServer::Http(200, ""); });
  Client client;

  const Result response = client.Send(Get(server.url()), milliseconds(-1));

  EXPECT_EQ(response.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(server.requests().empty());
}

TEST(HttpClientTest, AbortsWhenCancelledAndClosesTheConnection) {
  StubServer server([](const auto&) { return Reply{.hang = true}; });
  Client client;
  Cancellation cancel;
  std::future<Result> response = client.Start(Get(server.url()), seconds(60), cancel);
  while (server.requests().empty()) std::this_thread::yield();

  client.running().Do([&] { cancel.Fire(); });

  EXPECT_EQ(response.get().status().code(), absl::StatusCode::kCancelled);
  while (server.hang_ups() == 0) std::this_thread::yield();
}

TEST(HttpClientTest, SendsNothingWhenAlreadyCancelled) {
  StubServer server([](const auto&) { return StubServer::Http(200, ""); });
  Client client;
  Cancellation cancel;
  cancel.Fire();

  const Result response = client.Start(Get(server.url()), seconds(60), cancel).get();

  EXPECT_EQ(response.status().code(), absl::StatusCode::kCancelled);
  EXPECT_TRUE(server.requests().empty());
}

TEST(HttpClientTest, CancelsAtOnceWhileALargeBodyIsStuck) {
  // Nobody accepts: the kernel takes the connection and some of the body, and then no more.
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(listener, 1), 0);
  ASSERT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const std::string url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  Client client;
  Cancellation cancel;
  const std::string image(30'000'000, 'i');
  std::future<Result> response = client.Start(Post(url, "", image), seconds(60), cancel);
  EXPECT_EQ(response.wait_for(milliseconds(200)), std::future_status::timeout);

  client.running().Do([&] { cancel.Fire(); });

  ASSERT_EQ(response.wait_for(seconds(5)), std::future_status::ready);
  EXPECT_EQ(response.get().status().code(), absl::StatusCode::kCancelled);
  close(listener);
}

TEST(HttpClientTest, TakesABodyOfTheCapButNotOneByteMore) {
  StubServer server([](const StubServer::Request& request) {
    return StubServer::Http(200, std::string(std::stoul(request.target.substr(1)), 'b'));
  });
  Client client({.max_response_bytes = 1000});

  EXPECT_EQ(client.Send(Get(server.url() + "/1000"))->body.size(), 1000U);
  EXPECT_EQ(client.Send(Get(server.url() + "/1001")).status().code(),
            absl::StatusCode::kResourceExhausted);
}

TEST(HttpClientTest, CapsTheHeadersOfAResponse) {
  StubServer server([](const auto&) {
    std::string headers;
    for (int i = 0; i < 100; ++i) headers += "X-Long: " + std::string(1000, 'h') + "\r\n";
    return StubServer::Http(200, "", headers);
  });
  Client client;

  EXPECT_EQ(client.Send(Get(server.url())).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST(HttpClientTest, SaysThatNobodyListens) {
  std::string url;
  {
    const StubServer gone([](const auto&) { return Reply{}; });
    url = gone.url();
  }
  Client client;

  const Result response = client.Send(Get(url));

  EXPECT_EQ(response.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(response.status().message()), testing::HasSubstr("refuses connections"));
}

TEST(HttpClientTest, SaysThatTheHostNameIsUnknown) {
  Client client;

  const Result response = client.Send(Get("http://no-such-host.invalid/"));

  EXPECT_EQ(response.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(response.status().message()), testing::HasSubstr("host name"));
}

// libcurl itself takes every name below "localhost" to loopback (RFC 6761).
TEST(HttpClientTest, UsesAPrivateAddressOfANamedHostOnly) {
  StubServer server([](const auto&) { return StubServer::Http(200, ""); });
  const std::string port = ":" + std::to_string(server.port());
  // A client of its own for each: it would use its connection to the host again.
  const auto send = [&](const std::string& host) {
    return Client({.private_hosts = {"other.localhost"}}).Send(Get("http://" + host + port));
  };

  for (const std::string host :
       {"vendor.localhost", "more.other.localhost", "localhost.localhost", "127.0.0.1.localhost"}) {
    const Result refused = send(host);
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kUnavailable) << host;
    EXPECT_THAT(std::string(refused.status().message()),
                testing::HasSubstr("leads to a private address"));
  }
  EXPECT_TRUE(server.requests().empty());
  for (const std::string host : {"other.localhost", "Other.Localhost", "localhost", "LOCALHOST",
                                 "127.0.0.1", "0x7f.1", "[::ffff:127.0.0.1]"}) {
    const Result response = send(host);
    EXPECT_TRUE(response.ok()) << host << response.status();
  }
}

TEST(HttpClientTest, SaysThatTheConnectionBroke) {
  const std::vector<Reply> cut = {
      {.bytes = "", .close = true},
      {.bytes = "HTTP/1.1 200 OK\r\nContent-Le", .close = true},
      {.bytes = "HTTP/1.1 103 Early\r\nX-Early: 1\r\n\r\n", .close = true},
      {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", .close = true},
      {.bytes = "no http at all\r\n\r\n", .close = true},
  };
  for (const Reply& reply : cut) {
    StubServer server([&](const auto&) { return reply; });
    Client client;

    EXPECT_EQ(client.Send(Post(server.url(), "{}")).status().code(), absl::StatusCode::kUnavailable)
        << reply.bytes;
  }
}

TEST(HttpClientTest, NeverSendsABodyTwiceOverADeadConnection) {
  // The second request on a connection is read and then hung up on, as a server does that closes
  // idle connections.
  StubServer server([](const StubServer::Request& request) {
    return request.number_on_connection == 0 ? StubServer::Http(200, "")
                                             : Reply{.bytes = "", .close = true};
  });
  Client client;
  ASSERT_TRUE(client.Send(Post(server.url(), "{}")).ok());

  const Result response = client.Send(Post(server.url(), "{\"a\":1}"));

  EXPECT_EQ(response.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(server.requests().size(), 2U);
}

TEST(HttpClientTest, GoesOnAfterAFailure) {
  std::atomic<int> count = 0;
  StubServer server([&](const auto&) {
    return count++ == 0 ? Reply{.bytes = "", .close = true} : StubServer::Http(200, "fine");
  });
  Client client;

  EXPECT_FALSE(client.Send(Post(server.url(), "{}")).ok());
  EXPECT_TRUE(client.Send(Post(server.url(), "{}")).ok());
}

TEST(HttpClientTest, IgnoresTheProxyOfTheEnvironment) {
  StubServer server([](const auto&) { return StubServer::Http(200, ""); });
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  Client client;

  const Result response = client.Send(Get(server.url()));

  unsetenv("http_proxy");
  EXPECT_TRUE(response.ok()) << response.status();
}

TEST(HttpClientTest, CarriesManyRequestsAtOnce) {
  StubServer server([](const auto&) { return StubServer::Http(200, "{}"); });
  Client client;
  Cancellation cancel;
  std::vector<std::future<Result>> responses;

  for (int i = 0; i < 300; ++i)
    responses.push_back(client.Start(Get(server.url()), seconds(30), cancel));

  for (auto& response : responses) EXPECT_TRUE(response.get().ok());
}

TEST(HttpClientTest, UsesNoProcessorTimeWhileAnAnswerIsAwaited) {
  StubServer server([](const auto&) { return Reply{.hang = true}; });
  Client client;
  Cancellation cancel;
  std::future<Result> response = client.Start(Get(server.url()), seconds(60), cancel);
  while (server.requests().empty()) std::this_thread::yield();
  clockid_t clock{};
  pthread_getcpuclockid(client.running().thread().native_handle(), &clock);
  timespec before{};
  timespec after{};

  clock_gettime(clock, &before);
  std::this_thread::sleep_for(milliseconds(500));
  clock_gettime(clock, &after);

  const auto used = seconds(after.tv_sec - before.tv_sec) +
                    std::chrono::nanoseconds(after.tv_nsec - before.tv_nsec);
  EXPECT_LT(used, milliseconds(10));
  client.running().Do([&] { cancel.Fire(); });
  EXPECT_FALSE(response.get().ok());
}

}  // namespace
}  // namespace idv
