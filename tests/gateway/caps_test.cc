// What a gateway takes on at the same time, through real connections.

#include <chrono>
#include <list>
#include <string>
#include <vector>

#include "tests/gateway/probe_gateway.h"

namespace idv {
namespace {

using std::chrono::milliseconds;

class CapsTest : public ProbeGatewayTest {};

TEST_P(CapsTest, RefusesACallOverTheCapAtOnceAndTakesOneAgainLater) {
  for (const std::string cap :
       {"max_in_flight", "max_in_flight_per_tenant", "max_in_flight_per_caller"}) {
    server_.reset();
    Start(HangingAtFirst(2), "limits: {" + cap + ": 2}\n");
    std::list<PendingFind> running;
    for (size_t i = 1; i <= 2; ++i) {
      running.emplace_back(*stub_);
      AwaitUpstreamRequests(i);
    }
    grpc::ClientContext context;
    test::Found found;

    const grpc::Status status = stub_->Find(&context, {}, &found);

    EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << cap;
    EXPECT_EQ(ReasonOf(status), "GATEWAY_OVERLOADED");
    EXPECT_EQ(InfoOf(status).metadata().at("blame"), "us");
    EXPECT_NE(status.error_message().find("limits." + cap), std::string::npos)
        << status.error_message();
    google::rpc::RetryInfo retry;
    ASSERT_TRUE(DetailsOf(status).details(1).UnpackTo(&retry));
    const auto wait = retry.retry_delay().seconds() * 1000 + retry.retry_delay().nanos() / 1000000;
    EXPECT_GE(wait, 500);
    EXPECT_LE(wait, 1500);
    EXPECT_EQ(TrailerOf(context, "grpc-retry-pushback-ms"), std::to_string(wait));
    EXPECT_EQ(upstream_->requests().size(), 2U);
    running.front().Cancel();
    EXPECT_EQ(running.front().Finish().error_code(), grpc::StatusCode::CANCELLED);
    while (!Find().ok()) std::this_thread::yield();
    running.back().Cancel();
    running.back().Finish();
  }
}

TEST_P(CapsTest, RefusesAnUploadThatWouldHoldTooMuchMemoryButNoOtherCall) {
  Start(HangingAtFirst(1),
        "limits: {max_message: 64KiB, max_image: 64KiB, upload_memory: 128KiB}\n");
  test::StoreRequest large = Complete();
  large.set_picture(std::string(size_t{64} << 10, 'p'));
  grpc::ClientContext running_context;
  std::thread running([&] {
    test::Stored stored;
    stub_->Store(&running_context, large, &stored);
  });
  AwaitUpstreamRequests(1);
  grpc::ClientContext context;
  test::Stored stored;

  const grpc::Status status = stub_->Store(&context, large, &stored);

  EXPECT_EQ(ReasonOf(status), "GATEWAY_OVERLOADED");
  EXPECT_NE(status.error_message().find("limits.upload_memory"), std::string::npos);
  EXPECT_TRUE(Find().ok());
  running_context.TryCancel();
  running.join();
  grpc::Status later = status;
  while (ReasonOf(later) == "GATEWAY_OVERLOADED") {
    grpc::ClientContext later_context;
    later = stub_->Store(&later_context, large, &stored);
  }
  EXPECT_EQ(later.error_code(), grpc::StatusCode::OK) << later.error_message();
}

TEST_P(CapsTest, ClosesAConnectionOverTheCapAndTakesOneAgainWhenOneHasGone) {
  Start(HangingAtFirst(0), "limits: {max_connections: 2}\n");
  auto second = Connect();
  ASSERT_TRUE(IsConnected(*second));
  const auto third = Connect();

  EXPECT_FALSE(IsConnected(*third, milliseconds(500)));
  EXPECT_TRUE(Find().ok());

  second.reset();
  EXPECT_TRUE(IsConnected(*third));
}

TEST_P(CapsTest, KeepsACallOverTheStreamsOfAConnectionWaitingAtTheCaller) {
  Start(HangingAtFirst(2), "limits: {max_streams_per_connection: 2}\n");
  std::list<PendingFind> running;
  for (size_t i = 1; i <= 2; ++i) {
    running.emplace_back(*stub_);
    AwaitUpstreamRequests(i);
  }
  PendingFind waiting(*stub_);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + milliseconds(200));
  test::Found found;

  const grpc::Status late = stub_->Find(&context, {}, &found);

  // gRPC's own client ended it: nothing of it has come here.
  EXPECT_EQ(late.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(ReasonOf(late), "");
  EXPECT_EQ(upstream_->requests().size(), 2U);
  running.front().Cancel();
  EXPECT_TRUE(waiting.Finish().ok());
  running.back().Cancel();
}

INSTANTIATE_TEST_SUITE_P(Shards, CapsTest, testing::Values(1, 2, 4), ShardsName);

}  // namespace
}  // namespace idv
