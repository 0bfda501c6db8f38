#include "upstream/error_map.h"

#include <string>
#include <vector>

#include "tests/upstream/probe.pb.h"
#include "upstream/failure.h"

namespace idv {
namespace {

using absl::StatusCode;
using std::chrono::milliseconds;

Route RouteOf(const std::string& full_name) {
  return *Route::Compile(
      *google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(full_name));
}

constexpr char kApiKey[] = "test_sk/123";

class ErrorMapTest : public testing::Test {
 protected:
  absl::Status Map(int status, const std::string& body, const std::string& headers = "") {
    HttpResponse response;
    response.status = status;
    response.body = body;
    response.header_lines = headers;
    return errors_.FromResponse(*route_, std::move(response), parser_, kApiKey, now_);
  }

  const std::chrono::system_clock::time_point now_ =
      std::chrono::system_clock::from_time_t(784'111'777);
  ErrorMap errors_;
  JsonParser parser_;
  const Route store_ = RouteOf("idv.test.ProbeService.Store");
  const Route create_ = RouteOf("idv.test.ProbeService.Attempt");
  const Route* route_ = &store_;
};

TEST_F(ErrorMapTest, MapsEveryStatus) {
  struct Row {
    int status;
    std::string code;  // the upstream's
    StatusCode expected;
    std::string reason;
    Blame blame;
  };
  const std::vector<Row> rows = {
      {100, "", StatusCode::kInternal, "UPSTREAM_UNEXPECTED_STATUS", Blame::kUs},
      {301, "", StatusCode::kInternal, "UPSTREAM_UNEXPECTED_STATUS", Blame::kUs},
      {400, "", StatusCode::kInvalidArgument, "UPSTREAM_INVALID_REQUEST", Blame::kCaller},
      {400, "VALIDATION_ERROR", StatusCode::kInvalidArgument, "VALIDATION_ERROR", Blame::kCaller},
      {400, "not a reason!", StatusCode::kInvalidArgument, "UPSTREAM_INVALID_REQUEST",
       Blame::kCaller},
      {400, "DOCUMENT_REQUIRED", StatusCode::kFailedPrecondition, "DOCUMENT_REQUIRED",
       Blame::kCaller},
      {401, "", StatusCode::kUnavailable, "UPSTREAM_CREDENTIAL_REJECTED", Blame::kUs},
      {401, "INVALID_STATE", StatusCode::kUnavailable, "UPSTREAM_CREDENTIAL_REJECTED", Blame::kUs},
      {402, "", StatusCode::kInternal, "UPSTREAM_UNEXPECTED_STATUS", Blame::kUs},
      {403, "FORBIDDEN", StatusCode::kPermissionDenied, "UPSTREAM_FORBIDDEN", Blame::kUs},
      {404, "", StatusCode::kNotFound, "UPSTREAM_NOT_FOUND", Blame::kCaller},
      {404, "VERIFICATION_NOT_FOUND", StatusCode::kNotFound, "VERIFICATION_NOT_FOUND",
       Blame::kCaller},
      {405, "", StatusCode::kInternal, "UPSTREAM_UNEXPECTED_STATUS", Blame::kUs},
      {408, "", StatusCode::kDeadlineExceeded, "UPSTREAM_TIMEOUT", Blame::kVendor},
      {409, "", StatusCode::kFailedPrecondition, "UPSTREAM_CONFLICT", Blame::kCaller},
      {409, "INVALID_STATE", StatusCode::kFailedPrecondition, "INVALID_STATE", Blame::kCaller},
      {410, "", StatusCode::kFailedPrecondition, "UPSTREAM_CONFLICT", Blame::kCaller},
      {410, "SESSION_EXPIRED", StatusCode::kFailedPrecondition, "SESSION_EXPIRED", Blame::kCaller},
      {413, "", StatusCode::kInvalidArgument, "UPSTREAM_PAYLOAD_TOO_LARGE", Blame::kCaller},
      {418, "", StatusCode::kInternal, "UPSTREAM_UNEXPECTED_STATUS", Blame::kUs},
      {422, "", StatusCode::kInvalidArgument, "UPSTREAM_INVALID_REQUEST", Blame::kCaller},
      {422, "SESSION_EXPIRED", StatusCode::kFailedPrecondition, "SESSION_EXPIRED", Blame::kCaller},
      {429, "RATE_LIMIT_EXCEEDED", StatusCode::kResourceExhausted, "UPSTREAM_RATE_LIMITED",
       Blame::kCaller},
      {500, "INVALID_STATE", StatusCode::kInternal, "UPSTREAM_ERROR", Blame::kVendor},
      {501, "", StatusCode::kInternal, "UPSTREAM_ERROR", Blame::kVendor},
      {502, "", StatusCode::kUnavailable, "UPSTREAM_UNAVAILABLE", Blame::kVendor},
      {503, "", StatusCode::kUnavailable, "UPSTREAM_UNAVAILABLE", Blame::kVendor},
      {504, "", StatusCode::kDeadlineExceeded, "UPSTREAM_TIMEOUT", Blame::kVendor},
      {599, "", StatusCode::kInternal, "UPSTREAM_ERROR", Blame::kVendor},
  };
  for (const Row& row : rows) {
    const absl::Status status = Map(row.status, R"({"code":")" + row.code + R"(","error":"why"})");
    const Failure failure = FailureOf(status);

    EXPECT_EQ(status.code(), row.expected) << row.status << " " << row.code;
    EXPECT_EQ(failure.reason, row.reason) << row.status << " " << row.code;
    EXPECT_EQ(failure.blame, row.blame) << row.status << " " << row.code;
    EXPECT_EQ(failure.http_status, row.status);
    EXPECT_EQ(failure.upstream_code, row.code);
  }
}

TEST_F(ErrorMapTest, FindsTheTextInEveryEnvelopeButNeverPassesTheBodyOn) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {R"({"code":"C","error":"the text"})", ": the text"},
      {R"({"error":{"code":"C","message":"the text"}})", ": the text"},
      {R"({"message":"the text"})", ": the text"},
      {R"({"detail":"the text"})", ": the text"},
      {R"({"error":"","message":"the text"})", ": the text"},
      {"{\"error\":\"two\\nlines \\u00e4\"}", ": two?lines ??"},
      {"", ""},
      {"<html>the body</html>", ""},
      {R"(["the body"])", ""},
      {R"("the body")", ""},
      {R"({"error":["the body"],"other":"the body"})", ""},
      {R"({"error":"cut)", ""},
  };
  for (const auto& [body, expected] : rows) {
    EXPECT_EQ(Map(500, body).message(), "the upstream answered 500" + expected) << body;
  }
}

TEST_F(ErrorMapTest, CutsALongText) {
  const absl::Status status = Map(500, R"({"error":")" + std::string(5000, 'e') + R"("})");

  EXPECT_LT(status.message().size(), 300U);
}

TEST_F(ErrorMapTest, NeverShowsATextThatMaySpeakOfOurKey) {
  for (const int code : {401, 403}) {
    const absl::Status status =
        Map(code, R"({"error":"bad key test_sk_123","code":"INVALID_API_KEY"})");

    EXPECT_EQ(status.ToString().find("test_sk_123"), std::string::npos) << code;
    EXPECT_EQ(FailureOf(status).upstream_code, "INVALID_API_KEY");
  }
  EXPECT_TRUE(FailureOf(Map(401, "")).never_retry);
}

TEST_F(ErrorMapTest, ShowsNothingOfAnErrorThatRepeatsOurKey) {
  for (const char* body :
       {R"({"code":"NO_SUCH_THING","error":"bad key test_sk/123"})",
        R"({"code":"test_sk/123","error":"text"})", R"({"error":"bad key test_sk\/123"})",
        R"({"details":{"all":["text",{"test_sk/123":"text"}]},"error":"text"})",
        R"({"error":"text","errors":[{"field":"a","message":"\u0074est_sk/123"}]})"}) {
    const absl::Status status = Map(404, body, "Retry-After: 3\r\n");

    EXPECT_EQ(status.message(), "the upstream answered 404") << body;
    EXPECT_EQ(FailureOf(status).reason, "UPSTREAM_NOT_FOUND") << body;
    EXPECT_EQ(FailureOf(status).upstream_code, "") << body;
    EXPECT_EQ(status.ToString().find("sk"), std::string::npos) << status;
  }
  EXPECT_EQ(Map(404, R"({"error":"bad key test_sk"})").message(),
            "the upstream answered 404: bad key test_sk");
}

TEST_F(ErrorMapTest, NamesViolationsByProtoPath) {
  struct Row {
    std::string body;
    std::vector<std::pair<std::string, std::string>> expected;
  };
  const std::vector<Row> rows = {
      {R"({"code":"VALIDATION_ERROR","details":{"field":"pictureBase64","constraint":"required"}})",
       {{"picture", "required"}}},
      {R"({"code":"INVALID_REQUEST","details":{"field":"text"}})", {{"text", "refused"}}},
      {R"({"details":{"field":"X-Signed-By","constraint":"required"}})",
       {{"signed_by", "required"}}},
      {R"({"message":"m","errors":[{"field":"inners[0].someText","message":"bad"},{"field":"other","message":"x"}]})",
       {{"inners[0].some_text", "bad"}, {"other", "x"}}},
      {R"({"details":{"text":"too long"}})", {{"text", "too long"}}},
      {R"({"details":{"retryAfter":3}})", {}},
      {R"({"details":"text"})", {}},
      {R"({"errors":"text"})", {}},
  };
  for (const Row& row : rows) {
    std::vector<std::pair<std::string, std::string>> violations;

    for (const auto& violation : FailureOf(Map(422, row.body)).violations) {
      violations.emplace_back(violation.field, violation.description);
    }

    EXPECT_EQ(violations, row.expected) << row.body;
  }
}

TEST_F(ErrorMapTest, BoundsTheViolations) {
  std::string errors;
  for (int i = 0; i < 1000; ++i)
    errors += (i > 0 ? "," : "") + std::string(R"({"field":"f","message":"m"})");

  EXPECT_EQ(FailureOf(Map(422, R"({"errors":[)" + errors + "]}")).violations.size(), 16U);
}

TEST_F(ErrorMapTest, SaysWhenToComeBack) {
  struct Row {
    int status;
    std::string headers;
    std::string body;
    std::optional<milliseconds> expected;
  };
  const std::vector<Row> rows = {
      {429, "Retry-After: 30\r\n", "", milliseconds(30'000)},
      {429, "Retry-After: Sun, 06 Nov 1994 08:49:47 GMT\r\n", "", milliseconds(10'000)},
      {429, "Retry-After: soon\r\n", R"({"details":{"retryAfter":7}})", milliseconds(7'000)},
      {429, "", R"({"details":{"retryAfter":"7"}})", milliseconds(7'000)},
      {429, "", "", milliseconds(1'000)},
      {503, "Retry-After: 5\r\n", "", milliseconds(5'000)},
      {503, "", "", std::nullopt},
      {500, "Retry-After: 5\r\n", "", std::nullopt},
  };
  for (const Row& row : rows) {
    const Failure failure = FailureOf(Map(row.status, row.body, row.headers));

    EXPECT_EQ(failure.retry_after, row.expected) << row.status << " " << row.headers << row.body;
    EXPECT_FALSE(failure.never_retry);
  }
}

TEST_F(ErrorMapTest, TellsSpentAttemptsFromTheRateOfRequests) {
  route_ = &create_;
  const std::vector<std::pair<std::string, std::string>> spent = {
      {"X-RateLimit-Remaining: 3\r\nRetry-After: 9\r\n", ""},
      {"", R"({"details":{"maxAttemptsPerDay":5}})"},
  };
  for (const auto& [headers, body] : spent) {
    const Failure failure = FailureOf(Map(429, body, headers));

    EXPECT_EQ(failure.reason, "DAILY_ATTEMPTS_EXHAUSTED") << headers << body;
    EXPECT_TRUE(failure.never_retry);
    EXPECT_EQ(failure.retry_after, std::nullopt);
  }
  EXPECT_EQ(FailureOf(Map(429, "", "X-RateLimit-Remaining: 0\r\n")).reason,
            "UPSTREAM_RATE_LIMITED");
  route_ = &store_;
  EXPECT_EQ(FailureOf(Map(429, "", "X-RateLimit-Remaining: 3\r\n")).reason,
            "UPSTREAM_RATE_LIMITED");
}

TEST_F(ErrorMapTest, MapsTheAbsenceOfAnAnswer) {
  struct Row {
    absl::Status transport;
    StatusCode code;
    std::string reason;
  };
  const std::vector<Row> rows = {
      {absl::DeadlineExceededError("x"), StatusCode::kDeadlineExceeded, "UPSTREAM_TIMEOUT"},
      {absl::CancelledError("x"), StatusCode::kCancelled, "CALLER_CANCELLED"},
      {absl::ResourceExhaustedError("x"), StatusCode::kInternal, "UPSTREAM_RESPONSE_TOO_LARGE"},
      {absl::UnavailableError("x"), StatusCode::kUnavailable, "UPSTREAM_UNREACHABLE"},
  };
  for (const Row& row : rows) {
    const absl::Status status = ErrorMap::FromTransport(row.transport);

    EXPECT_EQ(status.code(), row.code) << row.reason;
    EXPECT_EQ(FailureOf(status).reason, row.reason);
  }
}

}  // namespace
}  // namespace idv
