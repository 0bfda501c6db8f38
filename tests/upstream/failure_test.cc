#include "upstream/failure.h"

#include <string>

namespace idv {
namespace {

using absl::StatusCode;

TEST(FailureTest, TravelsInAStatusWhole) {
  const Failure failure{.http_status = 429,
                        .upstream_code = "RATE_LIMIT_EXCEEDED",
                        .violations = {{"a.b", "too long"}, {"c", "missing"}},
                        .retry_after = std::chrono::milliseconds(1500),
                        .never_retry = true};

  const absl::Status status = Fail(reason::kUpstreamRateLimited, "wait", failure);
  const Failure read = FailureOf(status);

  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(status.message(), "wait");
  EXPECT_EQ(read.reason, "UPSTREAM_RATE_LIMITED");
  EXPECT_EQ(read.blame, Blame::kCaller);
  EXPECT_EQ(read.http_status, 429);
  EXPECT_EQ(read.upstream_code, "RATE_LIMIT_EXCEEDED");
  ASSERT_EQ(read.violations.size(), 2U);
  EXPECT_EQ(read.violations[0].field, "a.b");
  EXPECT_EQ(read.violations[1].description, "missing");
  EXPECT_EQ(read.retry_after, std::chrono::milliseconds(1500));
  EXPECT_TRUE(read.never_retry);
}

TEST(FailureTest, KeepsTheUpstreamsCodeAsItsReasonAndTakesTheBlameFromOurs) {
  const absl::Status status =
      Fail(reason::kUpstreamConflict, "x", Failure{.reason = "INVALID_STATE"});

  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(FailureOf(status).reason, "INVALID_STATE");
  EXPECT_EQ(FailureOf(status).blame, Blame::kCaller);
}

TEST(FailureTest, CarriesEveryBlame) {
  EXPECT_EQ(FailureOf(Fail(reason::kInvalidField, "x")).blame, Blame::kCaller);
  EXPECT_EQ(FailureOf(Fail(reason::kGatewayOverloaded, "x")).blame, Blame::kUs);
  EXPECT_EQ(FailureOf(Fail(reason::kUpstreamTimeout, "x")).blame, Blame::kVendor);
}

TEST(FailureTest, IsOursToMendForAnyOtherStatus) {
  const Failure read = FailureOf(absl::InternalError("x"));

  EXPECT_EQ(read.reason, "GATEWAY_ERROR");
  EXPECT_EQ(read.blame, Blame::kUs);
  EXPECT_EQ(read.http_status, 0);
  EXPECT_TRUE(read.violations.empty());
  EXPECT_EQ(read.retry_after, std::nullopt);
  EXPECT_FALSE(read.never_retry);
}

TEST(FailureTest, NamesEveryInvalidField) {
  const absl::Status status = InvalidFields({{"a", "required, but unset"}, {"b[1]", "bad"}});

  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "a: required, but unset; b[1]: bad");
  EXPECT_EQ(FailureOf(status).reason, "INVALID_FIELD");
}

TEST(PrintableTest, ReplacesAndCutsWhatCannotBeShown) {
  EXPECT_EQ(Printable("plain text", 20), "plain text");
  EXPECT_EQ(Printable("a\r\nb\x1b[31m\x7f", 20), "a??b?[31m?");
  EXPECT_EQ(Printable("\xc3\xa4", 20), "??");
  EXPECT_EQ(Printable("0123456789", 10), "0123456789");
  EXPECT_EQ(Printable("01234567890", 10), "0123456...");
}

}  // namespace
}  // namespace idv
