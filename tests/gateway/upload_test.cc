// Calls whose message may be large: gRPC brings them before it has read that.

#include <grpcpp/grpcpp.h>
#include <grpcpp/support/sync_stream.h>

#include <chrono>
#include <list>
#include <memory>
#include <string>

#include "gateway/reading_turns.h"
#include "tests/gateway/probe_gateway.h"

namespace idv {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::system_clock;

constexpr int kAtOnce = static_cast<int>(ReadingTurns::kAtOnce);

// An upload that has begun, and whose message is up to the test.
class OpenUpload {
 public:
  explicit OpenUpload(grpc::Channel& channel) {
    context_.set_deadline(system_clock::now() + seconds(60));
    stream_.reset(
        grpc::internal::ClientReaderWriterFactory<grpc::ByteBuffer, grpc::ByteBuffer>::Create(
            &channel, kMethod, &context_));
  }

  void Send(const test::StoreRequest& request) {
    const grpc::Slice slice(request.SerializeAsString());
    stream_->Write(grpc::ByteBuffer(&slice, 1));
  }
  void SendNoMore() { stream_->WritesDone(); }
  void Cancel() { context_.TryCancel(); }
  grpc::Status Finish() {
    grpc::ByteBuffer reply;
    while (stream_->Read(&reply)) {
    }
    return stream_->Finish();
  }

 private:
  static inline const grpc::internal::RpcMethod kMethod{"/idv.test.ProbeService/Store",
                                                        grpc::internal::RpcMethod::BIDI_STREAMING};

  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>> stream_;
};

class UploadTest : public ProbeGatewayTest {
 protected:
  static StubServer::Handler Storing() {
    return [](const auto&) { return StubServer::Http(200, "{}"); };
  }

  grpc::Status Store(milliseconds timeout = seconds(60)) const {
    grpc::ClientContext context;
    context.set_deadline(system_clock::now() + timeout);
    test::Stored stored;
    return stub_->Store(&context, Complete(), &stored);
  }
};

TEST_P(UploadTest, MayComeAfterItsCall) {
  Start(Storing());
  OpenUpload upload(*channel_);
  EXPECT_TRUE(Find().ok());

  upload.Send(Complete());
  upload.SendNoMore();

  const grpc::Status status = upload.Finish();
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(upstream_->requests().size(), 2U);
}

TEST_P(UploadTest, IsMalformedWithoutAMessage) {
  Start(Storing());
  OpenUpload upload(*channel_);

  upload.SendNoMore();

  const grpc::Status status = upload.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ReasonOf(status), "REQUEST_MALFORMED");
  EXPECT_EQ(status.error_message(), "the call ended without a message");
}

TEST_P(UploadTest, OfACallerWhoMayNotIsRefusedBeforeItsMessage) {
  Start(Storing(), "", "['idv.test.ProbeService/Find']");
  OpenUpload upload(*channel_);

  EXPECT_EQ(ReasonOf(upload.Finish()), "METHOD_NOT_ALLOWED");
}

TEST_P(UploadTest, EndsWithTheDeadlineOfTheMethodIfItDoesNotCome) {
  Start(Storing(), "limits: {default_deadline: 300ms, max_deadline: 300ms}\n");
  OpenUpload upload(*channel_);

  const grpc::Status status = upload.Finish();

  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(ReasonOf(status), "STREAM_IDLE");
  EXPECT_EQ(InfoOf(status).metadata().at("blame"), "caller");
}

TEST_P(UploadTest, HoldsUpOthersForNoLongerThanATurn) {
  Start(Storing());
  std::list<OpenUpload> silent;
  constexpr int kWaves = 2;
  for (int i = 0; i < kWaves * GetParam() * kAtOnce; ++i) {
    silent.emplace_back(*channel_);
  }

  const grpc::Status status = Store();

  EXPECT_TRUE(status.ok()) << status.error_message();
  for (OpenUpload& upload : silent) upload.Cancel();
  for (OpenUpload& upload : silent) {
    EXPECT_EQ(upload.Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
}

TEST_P(UploadTest, SaysThatItsTurnDidNotComeInTime) {
  Start(Storing());
  std::list<OpenUpload> silent;
  // One after the other, so that they are all of the shard that serves the connection: it leaves
  // calls to others only while it is busy.
  for (int i = 0; i < 6 * kAtOnce; ++i) {
    silent.emplace_back(*channel_);
    while (server_->running() < silent.size()) std::this_thread::yield();
  }

  const grpc::Status status = Store(milliseconds(200));

  // Its own clock may be ahead of ours by a hair.
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  if (!status.error_details().empty()) {
    EXPECT_EQ(ReasonOf(status), "DEADLINE_IN_QUEUE");
    EXPECT_EQ(InfoOf(status).metadata().at("blame"), "us");
  }
  EXPECT_TRUE(upstream_->requests().empty());
  for (OpenUpload& upload : silent) upload.Cancel();
}

TEST_P(UploadTest, IsToldOfAShutdownWhileItsMessageIsUnderWay) {
  Start(Storing());
  std::list<OpenUpload> silent;
  for (int i = 0; i < 2 * kAtOnce; ++i) silent.emplace_back(*channel_);
  while (server_->running() < silent.size()) std::this_thread::yield();
  Hurry hurry;

  server_->Shutdown({.unary_grace = milliseconds(50)}, hurry);

  for (OpenUpload& upload : silent) EXPECT_EQ(ReasonOf(upload.Finish()), "GATEWAY_DRAINING");
}

TEST_P(UploadTest, LeavesNothingBehindWhenItsCallerGivesUp) {
  Start(Storing());
  std::list<OpenUpload> silent;
  for (int i = 0; i < 2 * kAtOnce; ++i) silent.emplace_back(*channel_);
  while (server_->running() < silent.size()) std::this_thread::yield();

  for (OpenUpload& upload : silent) upload.Cancel();

  while (server_->running() > 0) std::this_thread::yield();
  EXPECT_TRUE(Store().ok());
}

INSTANTIATE_TEST_SUITE_P(Shards, UploadTest, testing::Values(1, 2), ShardsName);

}  // namespace
}  // namespace idv
