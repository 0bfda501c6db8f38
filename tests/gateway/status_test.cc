#include "gateway/status.h"

#include <string>

#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>

#include "upstream/failure.h"

namespace idv {
namespace {

google::rpc::Status DetailsOf(const grpc::Status& status) {
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  return details;
}

template <typename Detail>
Detail Find(const google::rpc::Status& status) {
  Detail detail;
  for (const auto& any : status.details()) {
    if (any.UnpackTo(&detail)) return detail;
  }
  ADD_FAILURE() << "no " << detail.GetTypeName();
  return detail;
}

TEST(StatusTest, CarriesTheFailureAsDetails) {
  const absl::Status failure = Fail(reason::kUpstreamRateLimited, "slow down",
                                    {.http_status = 429,
                                     .upstream_code = "RATE_LIMIT_EXCEEDED",
                                     .violations = {{"a.b", "bad"}},
                                     .retry_after = std::chrono::milliseconds(1500)});

  const grpc::Status status = ToGrpc(failure, "request-1", 2);

  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(status.error_message(), "slow down");
  const google::rpc::Status details = DetailsOf(status);
  EXPECT_EQ(details.code(), 8);
  EXPECT_EQ(details.message(), "slow down");
  const auto info = Find<google::rpc::ErrorInfo>(details);
  EXPECT_EQ(info.domain(), "idv-gateway");
  EXPECT_EQ(info.reason(), "UPSTREAM_RATE_LIMITED");
  EXPECT_EQ(info.metadata().at("attempts"), "2");
  EXPECT_EQ(info.metadata().at("blame"), "caller");
  EXPECT_EQ(info.metadata().at("request_id"), "request-1");
  EXPECT_EQ(info.metadata().at("http_status"), "429");
  EXPECT_EQ(info.metadata().at("upstream_code"), "RATE_LIMIT_EXCEEDED");
  const auto retry = Find<google::rpc::RetryInfo>(details);
  EXPECT_EQ(retry.retry_delay().seconds(), 1);
  EXPECT_EQ(retry.retry_delay().nanos(), 500'000'000);
  const auto bad = Find<google::rpc::BadRequest>(details);
  EXPECT_EQ(bad.field_violations(0).field(), "a.b");
  EXPECT_EQ(bad.field_violations(0).description(), "bad");
}

TEST(StatusTest, StaysWithinItsBoundsWhateverTheFailure) {
  Failure failure{
      .reason = std::string(63, 'R'), .http_status = 422, .upstream_code = std::string(63, 'U')};
  for (int i = 0; i < 1000; ++i) {
    failure.violations.push_back({std::string(1000, 'f'), std::string(1000, '\xff')});
  }
  const absl::Status status =
      Fail(reason::kUpstreamInvalidRequest, std::string(100'000, '\xff'), failure);

  const grpc::Status sent = ToGrpc(status, std::string(128, 'i'), 3);

  EXPECT_EQ(sent.error_message().size(), 512U);
  EXPECT_EQ(sent.error_message().find_first_not_of("?."), std::string::npos);
  EXPECT_LE(sent.error_details().size(), 3U * 1024 + 512);
  EXPECT_GE(Find<google::rpc::BadRequest>(DetailsOf(sent)).field_violations_size(), 2);
}

TEST(StatusTest, HasAReasonEvenForAStatusWithoutOne) {
  const grpc::Status status = ToGrpc(absl::InternalError("x"), "id", 0);

  EXPECT_EQ(Find<google::rpc::ErrorInfo>(DetailsOf(status)).reason(), "GATEWAY_ERROR");
}

}  // namespace
}  // namespace idv
