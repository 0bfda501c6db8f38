// How a gateway ends: in order, and without a call that does not know what has become of it.

#include <chrono>
#include <string>
#include <thread>

#include "grpc/health/v1/health.grpc.pb.h"
#include "tests/gateway/probe_gateway.h"

namespace idv {
namespace {

using grpc::health::v1::HealthCheckResponse;
using std::chrono::milliseconds;
using std::chrono::seconds;

class DrainTest : public ProbeGatewayTest {
 protected:
  ~DrainTest() override { AwaitEnd(); }

  void BeginShutdown(const DrainTimes& times) {
    shutdown_ = std::thread([this, times] { server_->Shutdown(times, hurry_); });
  }

  void AwaitEnd() {
    if (shutdown_.joinable()) shutdown_.join();
  }

  HealthCheckResponse::ServingStatus Health() const {
    grpc::ClientContext context;
    HealthCheckResponse response;
    const auto stub = grpc::health::v1::Health::NewStub(channel_);
    return stub->Check(&context, {}, &response).ok() ? response.status()
                                                     : HealthCheckResponse::UNKNOWN;
  }

  void AwaitNotServing() const {
    while (Health() != HealthCheckResponse::NOT_SERVING) std::this_thread::yield();
  }

  Hurry hurry_;
  std::thread shutdown_;
};

TEST_P(DrainTest, ServesOnWhileItSettlesAndSaysThatItGoes) {
  Start(HangingAtFirst(0));
  EXPECT_EQ(Health(), HealthCheckResponse::SERVING);

  BeginShutdown({.settle = seconds(60), .unary_grace = seconds(60)});
  AwaitNotServing();

  for (int i = 0; i < 10; ++i) EXPECT_TRUE(Find().ok());
  hurry_.Now();
}

TEST_P(DrainTest, RefusesNewCallsAfterItHasSettledWhileRunningOnesGoOn) {
  std::promise<void> answer;
  Start([answered = answer.get_future().share()](const auto&) {
    answered.wait();
    return StubServer::Http(200, R"({"total":1})");
  });
  PendingFind running(*stub_);
  AwaitUpstreamRequests(1);

  BeginShutdown({.settle = milliseconds(0), .unary_grace = seconds(60)});
  AwaitNotServing();
  grpc::Status refused;
  while (refused.ok()) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + milliseconds(100));
    test::Found found;
    refused = stub_->Find(&context, {}, &found);
    if (refused.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) refused = grpc::Status::OK;
  }

  EXPECT_EQ(refused.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonOf(refused), "GATEWAY_DRAINING");
  EXPECT_EQ(InfoOf(refused).metadata().at("blame"), "us");
  answer.set_value();
  EXPECT_TRUE(running.Finish().ok());
}

TEST_P(DrainTest, EndsWhatOutlastsTheGraceWithAStatusOfItsOwn) {
  Start(Hanging());
  PendingFind running(*stub_);
  AwaitUpstreamRequests(1);

  BeginShutdown({.settle = milliseconds(0), .unary_grace = milliseconds(50)});

  const grpc::Status status = running.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonOf(status), "GATEWAY_DRAINING");
  EXPECT_EQ(InfoOf(status).metadata().at("attempts"), "1");
  EXPECT_EQ(TrailerOf(running.context(), "grpc-retry-pushback-ms"), "");
  while (upstream_->hang_ups() == 0) std::this_thread::yield();
}

TEST_P(DrainTest, TellsNotToRepeatWhatMayHaveBeenDone) {
  Start(Hanging());
  grpc::ClientContext context;
  std::thread caller([&] {
    test::RemoveRequest request;
    request.set_probe_id("p");
    test::Stored stored;
    EXPECT_EQ(ReasonOf(stub_->Attempt(&context, request, &stored)), "GATEWAY_DRAINING");
  });
  AwaitUpstreamRequests(1);

  BeginShutdown({.settle = milliseconds(0), .unary_grace = milliseconds(50)});
  caller.join();

  EXPECT_EQ(TrailerOf(context, "grpc-retry-pushback-ms"), "-1");
}

TEST_P(DrainTest, HurriesWhenItIsTold) {
  Start(Hanging());
  PendingFind running(*stub_);
  AwaitUpstreamRequests(1);
  BeginShutdown({.settle = seconds(3600), .unary_grace = seconds(3600)});

  hurry_.Now();

  EXPECT_EQ(ReasonOf(running.Finish()), "GATEWAY_DRAINING");
  AwaitEnd();
}

TEST_P(DrainTest, EndsAtOnceWhenNobodyIsConnected) {
  Start(HangingAtFirst(0));
  EXPECT_TRUE(Find().ok());
  stub_.reset();
  channel_.reset();

  BeginShutdown({.settle = milliseconds(0), .unary_grace = seconds(3600)});

  AwaitEnd();
}

INSTANTIATE_TEST_SUITE_P(Shards, DrainTest, testing::Values(1, 2, 4), ShardsName);

}  // namespace
}  // namespace idv
