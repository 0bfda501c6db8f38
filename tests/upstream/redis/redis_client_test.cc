#include "upstream/redis/redis_client.h"

#include <gmock/gmock.h>
#include <hiredis/hiredis.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tests/e2e/process.h"
#include "tests/upstream/certificates.h"
#include "tests/upstream/redis/redis_server.h"

namespace idv {
namespace {

using e2e::WaitUntil;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::ElementsAre;
using testing::HasSubstr;

// A client, and what it has reported.
class Client {
 public:
  explicit Client(RedisConnection::Options connection, const std::string& password = "")
      : client_({.connection = WithTimeout(std::move(connection)),
                 .password = [password] { return password; },
                 .report =
                     [this](const absl::Status& status) {
                       const std::lock_guard lock(mutex_);
                       reports_.push_back(status);
                     }}) {}

  bool ComesUp() {
    return WaitUntil([this] { return client_.is_up(); });
  }

  // The reply's text; a status's if there is none.
  std::string Ask(const RedisCommand& command) {
    std::promise<std::string> text;
    client_.Ask(command, [&](const absl::StatusOr<RedisReply>& reply) {
      text.set_value(reply.ok() ? std::string((*reply)->str, (*reply)->len)
                                : reply.status().ToString());
    });
    return text.get_future().get();
  }

  std::vector<std::string> reports() {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> texts;
    for (const absl::Status& report : reports_) texts.push_back(report.ToString());
    return texts;
  }

  RedisClient& operator*() { return client_; }

 private:
  static RedisConnection::Options WithTimeout(RedisConnection::Options connection) {
    connection.timeout = milliseconds(300);
    return connection;
  }

  std::mutex mutex_;
  std::vector<absl::Status> reports_;
  RedisClient client_;
};

TEST(RedisClientTest, BringsRepliesInTheOrderOfTheQuestions) {
  const RedisServer server;
  Client client({.address = server.address()});
  ASSERT_TRUE(client.ComesUp());

  std::vector<std::future<std::string>> replies;
  for (int i = 0; i < 200; ++i) {
    auto reply = std::make_shared<std::promise<std::string>>();
    replies.push_back(reply->get_future());
    (*client).Ask({"ECHO", std::to_string(i)}, [reply](const auto& answer) {
      reply->set_value(answer.ok() ? (*answer)->str : answer.status().ToString());
    });
  }

  for (int i = 0; i < 200; ++i) EXPECT_EQ(replies[static_cast<size_t>(i)].get(), std::to_string(i));
  EXPECT_THAT(client.reports(), ElementsAre());
}

TEST(RedisClientTest, ShowsThePassword) {
  const RedisServer server({"--requirepass", "open sesame"});
  Client client({.address = server.address()}, "open sesame");

  ASSERT_TRUE(client.ComesUp());

  EXPECT_EQ(client.Ask({"ECHO", "hello"}), "hello");
}

TEST(RedisClientTest, SaysThatThePasswordIsNotTakenWithoutNamingIt) {
  const RedisServer server({"--requirepass", "open sesame"});
  Client wrong({.address = server.address()}, "open barley");
  Client none({.address = server.address()});

  ASSERT_TRUE(WaitUntil([&] { return !wrong.reports().empty() && !none.reports().empty(); }));

  EXPECT_THAT(wrong.reports(), ElementsAre("PERMISSION_DENIED: Redis at " + server.address() +
                                           ": the password is not taken"));
  EXPECT_THAT(none.reports(), ElementsAre(HasSubstr("NOAUTH")));
  EXPECT_THAT(wrong.Ask({"ECHO", "hello"}), HasSubstr("out of reach"));
}

TEST(RedisClientTest, SpeaksTls) {
  const TestCertificates certificates;
  const TestCertificates others;
  certificates.Issue("client", "");
  const RedisServer server(certificates);
  const std::string address = "localhost:" + std::to_string(server.port());
  RedisConnection::Options options{.address = address,
                                   .tls = true,
                                   .ca_file = certificates.ca_file(),
                                   .cert_file = certificates.cert_file("client"),
                                   .key_file = certificates.key_file("client")};

  Client client(options);
  options.ca_file = others.ca_file();
  Client distrustful(options);

  ASSERT_TRUE(client.ComesUp());
  EXPECT_EQ(client.Ask({"ECHO", "hello"}), "hello");
  ASSERT_TRUE(WaitUntil([&] { return !distrustful.reports().empty(); }));
  EXPECT_THAT(distrustful.reports(), ElementsAre(HasSubstr("certificate")));
}

TEST(RedisClientTest, KeepsNobodyWaitingWhileTheServerIsGoneAndFindsItAgain) {
  std::optional<RedisServer> server(std::in_place);
  const int port = server->port();
  Client client({.address = server->address()});
  ASSERT_TRUE(client.ComesUp());

  server.reset();
  EXPECT_THAT(client.Ask({"ECHO", "hello"}), HasSubstr("out of reach"));
  EXPECT_FALSE((*client).is_up());
  server.emplace(port, std::vector<std::string>());

  ASSERT_TRUE(client.ComesUp());
  EXPECT_EQ(client.Ask({"ECHO", "hello"}), "hello");
  EXPECT_THAT(client.reports(),
              ElementsAre(HasSubstr("Redis at 127.0.0.1:" + std::to_string(port)), "OK"));
}

TEST(RedisClientTest, AConnectionThatWasClosedMeanwhileCostsNothing) {
  const RedisServer server;
  Client client({.address = server.address()});
  ASSERT_TRUE(client.ComesUp());

  server.Ask({"CLIENT", "KILL", "TYPE", "normal"});

  EXPECT_EQ(client.Ask({"ECHO", "hello"}), "hello");
  EXPECT_THAT(client.reports(), ElementsAre());
}

TEST(RedisClientTest, WaitsForAServerThatHangsOnlyOnceAndNotLong) {
  const RedisServer server;
  Client client({.address = server.address()});
  ASSERT_TRUE(client.ComesUp());
  server.process().Signal(SIGSTOP);

  const auto began = steady_clock::now();
  EXPECT_THAT(client.Ask({"ECHO", "hello"}), HasSubstr("out of reach"));
  const auto first = steady_clock::now() - began;
  EXPECT_THAT(client.Ask({"ECHO", "hello"}), HasSubstr("out of reach"));
  const auto both = steady_clock::now() - began;

  EXPECT_GE(first, milliseconds(300));
  EXPECT_LT(both - first, milliseconds(100));
  EXPECT_THAT(client.reports(), ElementsAre(HasSubstr("no answer in 300 ms")));
  server.process().Signal(SIGCONT);
  EXPECT_TRUE(client.ComesUp());
}

TEST(RedisClientTest, AServerThatTakesNoWritesIsNoneToCountIn) {
  const RedisServer primary;
  const RedisServer replica({"--replicaof", "127.0.0.1 " + std::to_string(primary.port())});

  Client client({.address = replica.address()});

  ASSERT_TRUE(WaitUntil([&] { return !client.reports().empty(); }));
  EXPECT_THAT(client.reports(), ElementsAre(HasSubstr("READONLY")));
}

TEST(RedisClientTest, EndsWhatWasAskedWhenItGoes) {
  const RedisServer server;
  auto client = std::make_unique<Client>(RedisConnection::Options{.address = server.address()});
  ASSERT_TRUE(client->ComesUp());
  server.process().Signal(SIGSTOP);
  std::atomic<int> ended = 0;
  for (int i = 0; i < 10; ++i) (**client).Ask({"ECHO", "hello"}, [&](const auto&) { ++ended; });

  client.reset();

  EXPECT_EQ(ended, 10);
  server.process().Signal(SIGCONT);
}

}  // namespace
}  // namespace idv
