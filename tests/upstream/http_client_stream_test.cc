// Bodies that are written while they are sent, and answers that come before their end.

#include <gmock/gmock.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>

#include "tests/upstream/client_on_loop.h"
#include "tests/upstream/manual_server.h"
#include "upstream/streamed_body.h"

namespace idv {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Result = ClientOnLoop::Result;

constexpr milliseconds kPatience{10'000};

class HttpClientStreamTest : public testing::Test {
 protected:
  HttpRequest PostOf(std::shared_ptr<RequestBody> body) const {
    return {.verb = "POST", .url = server_.url() + "/up", .headers = {}, .body = std::move(body)};
  }

  std::future<Result> Start(std::shared_ptr<RequestBody> body) {
    return client_.Start(PostOf(std::move(body)), seconds(30), cancel_);
  }

  void Add(StreamedBody& body, const std::string& text) {
    client_.running().Do([&] {
      JsonBody part;
      part.Append(text);
      body.Add(std::move(part));
    });
  }

  ManualServer server_{ManualServer::HandOver::kHead};
  ClientOnLoop client_;
  Cancellation cancel_;
};

// In every form that an answer's end has.
constexpr const char* kRefusals[] = {
    "HTTP/1.1 413 X\r\nContent-Length: 4\r\n\r\ngone",
    "HTTP/1.1 413 X\r\nContent-Length: 4\r\nConnection: close\r\n\r\ngone",
    "HTTP/1.1 413 X\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngone\r\n0\r\n\r\n",
    "HTTP/1.1 413 X\r\nTransfer-Encoding: chunked\r\nConnection: "
    "close\r\n\r\n4\r\ngone\r\n0\r\n\r\n",
    "HTTP/1.1 302 X\r\nContent-Length: 4\r\n\r\ngone",
};

void ExpectRefusal(std::future<Result>& response, const std::string& refusal) {
  ASSERT_EQ(response.wait_for(kPatience), std::future_status::ready) << refusal;
  const Result result = response.get();
  ASSERT_TRUE(result.ok()) << result.status() << refusal;
  EXPECT_EQ(result->status, std::stoi(refusal.substr(9))) << refusal;
  EXPECT_EQ(result->body, "gone") << refusal;
}

TEST_F(HttpClientStreamTest, TakesARefusalWhileTheBodyWaits) {
  for (const std::string refusal : kRefusals) {
    for (const bool has_begun : {true, false}) {
      const auto body = std::make_shared<StreamedBody>([] {});
      std::future<Result> response = Start(body);
      const auto exchange = server_.Next("/up", kPatience);
      ASSERT_NE(exchange, nullptr);
      if (has_begun) Add(*body, "[");

      exchange->Answer(refusal);

      ExpectRefusal(response, refusal);
    }
  }
}

TEST_F(HttpClientStreamTest, TakesARefusalInPieces) {
  for (const std::string refusal : kRefusals) {
    const auto body = std::make_shared<StreamedBody>([] {});
    std::future<Result> response = Start(body);
    const auto exchange = server_.Next("/up", kPatience);
    ASSERT_NE(exchange, nullptr);

    const size_t half = refusal.find("gone") + 2;
    exchange->Answer(refusal.substr(0, half));
    EXPECT_EQ(response.wait_for(milliseconds(50)), std::future_status::timeout);
    Add(*body, "[");  // nobody wants it any more
    exchange->Answer(refusal.substr(half));

    ExpectRefusal(response, refusal);
  }
}

TEST_F(HttpClientStreamTest, TakesARefusalWhileTheBodyIsStuck) {
  const std::string image(30'000'000, 'i');
  for (const bool is_streamed : {true, false}) {
    for (const std::string refusal : kRefusals) {
      JsonBody part;
      part.AppendBase64(image);
      std::shared_ptr<RequestBody> body;
      if (is_streamed) {
        const auto streamed = std::make_shared<StreamedBody>([] {});
        streamed->Add(std::move(part));
        body = streamed;
      } else {
        body = std::make_shared<JsonBody>(std::move(part));
      }
      std::future<Result> response = Start(std::move(body));
      const auto exchange = server_.Next("/up", kPatience);
      ASSERT_NE(exchange, nullptr);

      exchange->Answer(refusal);

      ExpectRefusal(response, refusal);
    }
  }
  client_.running().Do([&] { cancel_.Fire(); });
}

// It cannot be used again: the server may still expect the rest of the body.
TEST_F(HttpClientStreamTest, GivesTheConnectionUpAfterARefusal) {
  const auto body = std::make_shared<StreamedBody>([] {});
  std::future<Result> response = Start(body);
  auto exchange = server_.Next("/up", kPatience);
  ASSERT_NE(exchange, nullptr);
  exchange->Answer(kRefusals[0]);
  ExpectRefusal(response, kRefusals[0]);
  exchange.reset();

  const Result next = client_.Start(Get(server_.url() + "/next"), milliseconds(200), cancel_).get();

  EXPECT_FALSE(next.ok());  // nobody answers it
  EXPECT_EQ(server_.accepted(), 2);
}

// An answer that ends with its connection.
TEST_F(HttpClientStreamTest, TakesARefusalByAServerOfHttp10) {
  const auto body = std::make_shared<StreamedBody>([] {});
  std::future<Result> response = Start(body);
  const auto exchange = server_.Next("/up", kPatience);
  ASSERT_NE(exchange, nullptr);

  const std::string refusal = "HTTP/1.0 500 X\r\n\r\ngone";
  exchange->Answer(refusal);
  exchange->HangUp();

  ExpectRefusal(response, refusal);
}

TEST_F(HttpClientStreamTest, WaitsForTheEndOfTheBodyAfterAnEarlySuccess) {
  const auto body = std::make_shared<StreamedBody>([] {});
  std::future<Result> response = Start(body);
  const auto exchange = server_.Next("/up", kPatience);
  ASSERT_NE(exchange, nullptr);

  exchange->Answer(ManualServer::Http(200, "{}"));
  EXPECT_EQ(response.wait_for(milliseconds(50)), std::future_status::timeout);
  Add(*body, "[]");
  client_.running().Do([&] { body->End(); });

  ASSERT_EQ(response.wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(response.get()->status, 200);
}

TEST_F(HttpClientStreamTest, SaysThatTheConnectionBrokeWhileTheBodyWaits) {
  const auto body = std::make_shared<StreamedBody>([] {});
  std::future<Result> response = Start(body);
  const auto exchange = server_.Next("/up", kPatience);
  ASSERT_NE(exchange, nullptr);
  EXPECT_EQ(response.wait_for(milliseconds(50)), std::future_status::timeout);

  exchange->HangUp();

  ASSERT_EQ(response.wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(response.get().status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(HttpClientStreamTest, LeavesTheBodyAloneWhenItIsCancelled) {
  const auto body = std::make_shared<StreamedBody>([] {});
  std::future<Result> response = Start(body);
  const auto exchange = server_.Next("/up", kPatience);
  ASSERT_NE(exchange, nullptr);

  client_.running().Do([&] { cancel_.Fire(); });

  ASSERT_EQ(response.wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(response.get().status().code(), absl::StatusCode::kCancelled);
  Add(*body, "[");  // wakes nobody
  client_.running().Do([&] { body->End(); });
}

}  // namespace
}  // namespace idv
