#include "tests/gateway/any_answer.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <mutex>
#include <optional>
#include <string>

#include "gateway/status.h"
#include "tests/failure_rules.h"
#include "tests/gateway/probe_gateway.h"
#include "tests/marker.h"
#include "upstream/error_map.h"
#include "upstream/failure.h"

namespace idv {
namespace {

constexpr int kBodiesPerStatus = 60;

bool IsSuccess(int status) { return status >= 200 && status < 300; }

Route RouteOf(const std::string& rpc) {
  return *Route::Compile(
      *google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(rpc));
}

class AnyFailedAnswerTest : public testing::TestWithParam<const char*> {
 protected:
  // Two failures: of `body`, and of `body` with the marker where no caller may see it.
  void ExpectOneFailure(int status, const std::string& headers, const std::string& body) {
    SCOPED_TRACE(std::to_string(status) + "\n" + headers + "\n" + body.substr(0, 1000));
    const absl::Status failure = Map(status, headers, body);
    EXPECT_EQ(CheckFailure(failure), "");
    EXPECT_EQ(FailureOf(failure).http_status, status);
    EXPECT_FALSE(Shows(ToGrpc(Map(status, headers, WithMarker(body)), "r", 1), kMarker));
    if (status != 401 && status != 403) return;
    EXPECT_FALSE(Shows(ToGrpc(Map(status, headers, ErrorOfMarkers(body)), "r", 1), kMarker));
  }

  absl::Status Map(int status, const std::string& headers, const std::string& body) {
    HttpResponse response;
    response.status = status;
    response.header_lines = headers;
    response.body = body;
    return errors_.FromResponse(route_, std::move(response), parser_, /*api_key=*/"",
                                std::chrono::system_clock::from_time_t(784'111'777));
  }

  const Route route_ = RouteOf(GetParam());
  const ErrorMap errors_;
  JsonParser parser_;
};

TEST_P(AnyFailedAnswerTest, IsOneFailureWithinItsBounds) {
  AnyAnswer any(1);
  for (int status = 100; status < 600 && !HasFailure(); ++status) {
    if (IsSuccess(status)) continue;
    for (int i = 0; i < kBodiesPerStatus; ++i) {
      ExpectOneFailure(status, any.Headers(), any.Body());
    }
  }
}

TEST_P(AnyFailedAnswerTest, IsOneFailureWithinItsBoundsHoweverLarge) {
  AnyAnswer any(2);
  for (int status = 100; status < 600 && !HasFailure(); status += 11) {
    if (!IsSuccess(status)) ExpectOneFailure(status, any.Headers(), any.LargeBody(100'000));
  }
}

INSTANTIATE_TEST_SUITE_P(Routes, AnyFailedAnswerTest,
                         testing::Values("idv.test.ProbeService.Store",
                                         "idv.test.ProbeService.Find",
                                         "idv.test.ProbeService.Attempt"),
                         [](const auto& instance) {
                           const std::string name = instance.param;
                           return name.substr(name.rfind('.') + 1);
                         });

// The same through a whole gateway: what curl makes of such an answer is part of it.
class AnyAnswerTest : public ProbeGatewayTest {
 protected:
  struct Result {
    grpc::Status status;
    std::optional<std::string> pushback;
  };

  void StartAnswering() {
    Start([this](const StubServer::Request&) {
      const std::lock_guard lock(mutex_);
      return reply_;
    });
  }

  // Makes the call that `reply` is the answer to.
  Result Find(const StubServer::Reply& reply) {
    return Call(reply, [this](grpc::ClientContext& context) {
      test::Found found;
      return stub_->Find(&context, {}, &found);
    });
  }

  Result Attempt(const StubServer::Reply& reply) {
    return Call(reply, [this](grpc::ClientContext& context) {
      test::RemoveRequest request;
      request.set_probe_id("p");
      test::Stored stored;
      return stub_->Attempt(&context, request, &stored);
    });
  }

  // What every answer with `status` has to become.
  void ExpectOneStatus(const Result& result, int status, const std::string& body) {
    if (IsSuccess(status) && result.status.ok()) {
      const auto json = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
      // A list of answers may be absent, a single answer may not.
      EXPECT_TRUE(json.is_structured() || json.is_null());
      return;
    }
    EXPECT_EQ(CheckFailure(result.status, result.pushback), "");
    EXPECT_FALSE(Shows(result.status, kMarker));
    const auto info = InfoOf(result.status);
    ASSERT_TRUE(info.metadata().contains("http_status")) << info.ShortDebugString();
    EXPECT_EQ(info.metadata().at("http_status"), std::to_string(status));
    EXPECT_EQ(info.reason() == "UPSTREAM_BAD_RESPONSE", IsSuccess(status)) << info.reason();
  }

 private:
  template <typename MakeCall>
  Result Call(const StubServer::Reply& reply, const MakeCall& call) {
    {
      const std::lock_guard lock(mutex_);
      reply_ = reply;
    }
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    Result result{call(context), std::nullopt};
    const auto& trailers = context.GetServerTrailingMetadata();
    if (trailers.contains("grpc-retry-pushback-ms")) {
      result.pushback = TrailerOf(context, "grpc-retry-pushback-ms");
    }
    return result;
  }

  std::mutex mutex_;
  // To the one call that is under way; protected by mutex_.
  StubServer::Reply reply_;
};

TEST_P(AnyAnswerTest, IsOneStatusWhateverItsStatusAndBody) {
  StartAnswering();
  AnyAnswer any(3);
  size_t calls = 0;
  for (int status = 200; status < 600 && !HasFailure(); ++status) {
    for (const bool get : {true, false}) {
      const std::string plain = any.Body();
      const std::string body = any.Below(2) == 0 ? plain : WithMarker(plain);
      const StubServer::Reply reply = StubServer::Http(status, body, any.Headers());
      SCOPED_TRACE(reply.bytes.substr(0, 1000));

      const Result result = get ? Find(reply) : Attempt(reply);

      ExpectOneStatus(result, status, body);
      // No redirect is followed, nothing is repeated.
      EXPECT_EQ(upstream_->requests().size(), ++calls);
    }
  }
}

TEST_P(AnyAnswerTest, IsTheFinalResponseAfterAnyInterimOnes) {
  StartAnswering();
  for (int status = 100; status < 200; ++status) {
    if (status == 101) continue;  // the last in HTTP: what follows is another protocol
    SCOPED_TRACE(status);
    const std::string interim =
        "HTTP/1.1 " + std::to_string(status) + " X\r\nRetry-After: 7\r\nContent-Length: 3\r\n\r\n";
    const auto after_interim = [&](StubServer::Reply reply) {
      reply.bytes = interim + interim + reply.bytes;
      return reply;
    };

    const Result good = Find(after_interim(StubServer::Http(200, R"({"total":1})")));
    const Result bad = Attempt(after_interim(StubServer::Http(429, R"({"error":"slow down"})")));

    EXPECT_TRUE(good.status.ok()) << good.status.error_message();
    EXPECT_EQ(CheckFailure(bad.status, bad.pushback), "");
    EXPECT_EQ(ReasonOf(bad.status), "UPSTREAM_RATE_LIMITED");
    EXPECT_EQ(bad.pushback, "1000");  // of the final response, which names no time
  }
}

TEST_P(AnyAnswerTest, IsNoneWhenOnlyInterimResponsesCome) {
  StartAnswering();
  for (int status = 100; status < 200; ++status) {
    SCOPED_TRACE(status);
    const std::string interim = "HTTP/1.1 " + std::to_string(status) + " X\r\n\r\n";

    const Result result = Attempt({.bytes = interim + interim, .close = true});

    EXPECT_EQ(CheckFailure(result.status, result.pushback), "");
    EXPECT_EQ(ReasonOf(result.status),
              status == 101 ? "UPSTREAM_UNEXPECTED_STATUS" : "UPSTREAM_UNREACHABLE");
  }
}

INSTANTIATE_TEST_SUITE_P(Shards, AnyAnswerTest, testing::Values(1), ShardsName);

}  // namespace
}  // namespace idv
