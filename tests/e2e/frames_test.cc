// Streams of frames, as the upstream receives them, and how they fail.

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>

#include <chrono>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "kora/idv/v1/liveness_service.grpc.pb.h"
#include "tests/chaos/size.h"
#include "tests/e2e/call.h"
#include "tests/e2e/frame_call.h"
#include "tests/e2e/gateway.h"
#include "tests/e2e/messages.h"
#include "tests/e2e/sandbox.h"
#include "tests/e2e/steps.h"

namespace idv::e2e {
namespace {

using grpc::StatusCode;
using kora::idv::v1::StreamLivenessFramesRequest;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using testing::HasSubstr;

// Bytes that differ from frame to frame and within each.
std::string Picture(size_t bytes, int seed) {
  std::string picture(bytes, '\0');
  auto state = static_cast<uint32_t>(seed) * 2654435761U + 1;
  for (char& byte : picture) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<char>(state >> 24);
  }
  return picture;
}

std::string Shown(const Outcome& outcome) { return testing::PrintToString(outcome); }

class FramesTest : public testing::Test {
 protected:
  explicit FramesTest(const Json& more_config = Json::object(),
                      const std::vector<std::string>& sandbox_flags = {})
      : sandbox_(WithoutCap(sandbox_flags)) {
    Json config = BasicConfig(sandbox_.base_url());
    config.merge_patch(more_config);
    gateway_.emplace(config);
    client_.emplace(Connect(gateway_->addresses()[0]));
    id_ = CreateWithSession(*client_, "test-approve-frames");
    path_ = "/verifications/" + id_ + "/liveness/frames";
  }

  // What was refused has not reached the upstream as a whole request, if any of it has.
  void ExpectGivenUp() const {
    Json requests;
    EXPECT_TRUE(WaitUntil([&] {
      requests = sandbox_.Requests(path_);
      return requests.empty() || requests.front()["outcome"] == "aborted";
    })) << requests;
    for (const Json& request : requests) EXPECT_FALSE(request["body_complete"].get<bool>());
  }

  static void ExpectRefused(const Outcome& outcome, const std::string& reason,
                            StatusCode code = StatusCode::INVALID_ARGUMENT,
                            const std::string& attempts = "1") {
    EXPECT_EQ(outcome.status.error_code(), code) << Shown(outcome);
    EXPECT_EQ(outcome.reason(), reason) << Shown(outcome);
    EXPECT_EQ(outcome.info.metadata().at("blame"), "caller");
    EXPECT_EQ(outcome.Trailer("x-idv-attempts"), attempts);
    EXPECT_TRUE(outcome.Trailer("x-request-id").has_value());
  }

  static std::vector<std::string> WithoutCap(std::vector<std::string> flags) {
    flags.insert(flags.end(), {"--attempts-per-day", "0"});
    return flags;
  }

  Sandbox sandbox_;
  std::optional<Gateway> gateway_;
  std::optional<Client> client_;
  std::string id_;
  std::string path_;
};

TEST_F(FramesTest, BecomeOneRequestAndItsAnswerTheReply) {
  FrameCall call(*client_);
  auto header = Parse<StreamLivenessFramesRequest>(R"pb(
    header { challenge_type: LIVENESS_CHALLENGE_TYPE_BLINK frames_per_second: 29.97 }
  )pb");
  header.mutable_header()->set_verification_id(id_);
  EXPECT_TRUE(call.Send(header));
  EXPECT_TRUE(call.SendFrame("one", microseconds(0)));
  EXPECT_TRUE(call.SendFrame("second", microseconds(33'333)));
  EXPECT_TRUE(call.SendFrame("3", microseconds(66'000)));
  EXPECT_TRUE(call.SendEndMark(3));
  call.Close();

  const auto reply = call.Finish();

  ASSERT_TRUE(reply.ok()) << Shown(reply);
  EXPECT_EQ(reply.response.type(), kora::idv::v1::LIVENESS_CHALLENGE_TYPE_BLINK);
  EXPECT_TRUE(reply.response.completed());
  EXPECT_EQ(reply.Trailer("x-idv-attempts"), "1");
  const Json request = sandbox_.AwaitRequest(path_);
  const std::string body =
      R"({"challengeType":"blink","fps":29.97,"frames":["b25l","c2Vjb25k","Mw=="],)"
      R"("timestamps":[0,33.333,66]})";
  EXPECT_EQ(request["body_sha256"], Sha256(body));
  EXPECT_EQ(request["body_bytes"], body.size());
  EXPECT_EQ(request["headers"]["transfer-encoding"], "chunked");
  EXPECT_EQ(request["headers"]["content-type"], "application/json");
  EXPECT_FALSE(request["headers"].contains("content-length"));
  EXPECT_FALSE(request["headers"].contains("expect"));
  EXPECT_EQ(request["headers"]["x-tenant-id"], kTenantId);
}

TEST_F(FramesTest, LeaveOutWhatTheCallerHasNotSet) {
  FrameCall call(*client_);
  call.SendHeader(id_);
  call.SendFrame("one");
  call.Close();

  ASSERT_TRUE(call.Finish().ok());

  EXPECT_EQ(sandbox_.AwaitRequest(path_)["body_sha256"], Sha256(R"({"frames":["b25l"]})"));
}

TEST_F(FramesTest, AreRefusedWhenTheirOrderIsBroken) {
  const auto end = Parse<StreamLivenessFramesRequest>("end { frame_count: 1 }");
  const auto header =
      Parse<StreamLivenessFramesRequest>("header { verification_id: '" + id_ + "' }");
  const auto frame = Parse<StreamLivenessFramesRequest>("frame { image: 'one' }");
  struct Row {
    std::string what;
    std::vector<StreamLivenessFramesRequest> messages;
    std::string attempts;
  };
  const std::vector<Row> rows = {
      {"no header", {frame}, "0"},
      {"an end mark first", {end}, "0"},
      {"nothing in the first message", {{}}, "0"},
      {"two headers", {header, header}, "1"},
      {"nothing in a later message", {header, {}}, "1"},
      {"a frame behind the end mark", {header, frame, end, frame}, "1"},
      {"two end marks", {header, frame, end, end}, "1"},
      {"no frame", {header}, "1"},
      {"no frame and an end mark",
       {header, Parse<StreamLivenessFramesRequest>("end { frame_count: 0 }")},
       "1"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    sandbox_.ForgetRequests();
    FrameCall call(*client_);
    for (const auto& message : row.messages) call.Send(message);
    call.Close();

    ExpectRefused(call.Finish(), "STREAM_PROTOCOL", StatusCode::INVALID_ARGUMENT, row.attempts);

    if (row.attempts == "1") {
      ExpectGivenUp();
    } else {
      EXPECT_TRUE(sandbox_.Requests(path_).empty());
    }
  }
}

TEST_F(FramesTest, WithAWrongCountAreNotSubmitted) {
  FrameCall call(*client_);
  call.SendHeader(id_);
  call.SendFrame("one");
  call.SendFrame("two");
  call.SendEndMark(3);
  call.Close();

  const auto reply = call.Finish();

  ExpectRefused(reply, "FRAME_COUNT_MISMATCH");
  EXPECT_THAT(reply.status.error_message(), HasSubstr("3 frames, but 2 came"));
  ExpectGivenUp();
}

TEST_F(FramesTest, NameTheFieldThatCannotBeSent) {
  struct Row {
    std::string header;
    std::string frame;
    std::string field;
  };
  const std::vector<Row> rows = {
      {"header { verification_id: '' }", "", "header.verification_id"},
      {"header { verification_id: 'x' frames_per_second: nan }", "", "header.frames_per_second"},
      {"header { verification_id: 'x' challenge_type: 77 }", "", "header.challenge_type"},
      {"header { verification_id: 'x' }", "frame {}", "frame.image"},
      {"header { verification_id: 'x' }", "frame { image: 'a' capture_offset { seconds: -1 } }",
       "frame.capture_offset"},
      {"header { verification_id: 'x' }",
       "frame { image: 'a' capture_offset { nanos: 1000000000 } }", "frame.capture_offset"},
  };
  for (const Row& row : rows) {
    FrameCall call(*client_);
    StreamLivenessFramesRequest header;
    // The parser of the text form knows no enum values by unknown numbers.
    if (row.field == "header.challenge_type") {
      header.mutable_header()->set_verification_id("x");
      header.mutable_header()->set_challenge_type(
          static_cast<kora::idv::v1::LivenessChallengeType>(77));
    } else {
      header = Parse<StreamLivenessFramesRequest>(row.header);
    }
    call.Send(header);
    if (!row.frame.empty()) call.Send(Parse<StreamLivenessFramesRequest>(row.frame));
    call.Close();

    const auto reply = call.Finish();

    EXPECT_EQ(reply.reason(), "INVALID_FIELD") << Shown(reply);
    ASSERT_TRUE(reply.bad_request.has_value()) << row.field;
    EXPECT_EQ(reply.bad_request->field_violations(0).field(), row.field);
  }
}

TEST_F(FramesTest, HaveCaptureOffsetsAllOrNone) {
  for (const bool first : {true, false}) {
    FrameCall call(*client_);
    call.SendHeader(id_);
    call.SendFrame("one", first ? std::optional(microseconds(0)) : std::nullopt);
    call.SendFrame("two", first ? std::nullopt : std::optional(microseconds(5)));
    call.Close();

    const auto reply = call.Finish();

    ExpectRefused(reply, "INVALID_FIELD");
    EXPECT_EQ(reply.bad_request->field_violations(0).field(), "frame.capture_offset");
  }
}

TEST_F(FramesTest, ThatAreNoMessageAreMalformed) {
  grpc::ClientContext context;
  Prepare({}, context);
  const grpc::internal::RpcMethod method("/kora.idv.v1.LivenessService/StreamLivenessFrames",
                                         grpc::internal::RpcMethod::CLIENT_STREAMING);
  grpc::ByteBuffer response;
  const std::unique_ptr<grpc::ClientWriter<grpc::ByteBuffer>> writer(
      grpc::internal::ClientWriterFactory<grpc::ByteBuffer>::Create(client_->channel().get(),
                                                                    method, &context, &response));
  const grpc::Slice slice("\x0a\xff");
  writer->Write(grpc::ByteBuffer(&slice, 1));
  writer->WritesDone();

  const Outcome outcome = Outcome::Of(writer->Finish(), context);

  ExpectRefused(outcome, "REQUEST_MALFORMED", StatusCode::INVALID_ARGUMENT, "0");
}

TEST_F(FramesTest, OfNoMessageAtAllAreMalformed) {
  FrameCall call(*client_);
  call.Close();

  ExpectRefused(call.Finish(), "REQUEST_MALFORMED", StatusCode::INVALID_ARGUMENT, "0");
}

TEST_F(FramesTest, TellTheUpstreamsRefusal) {
  const std::string id = Create(*client_, "test-approve-no-session").id();
  FrameCall call(*client_);
  call.SendHeader(id);
  call.SendFrame("one");
  call.Close();

  const auto reply = call.Finish();

  EXPECT_EQ(reply.status.error_code(), StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(reply.reason(), "INVALID_STATE") << Shown(reply);
}

TEST_F(FramesTest, NameTheFieldThatTheUpstreamRefuses) {
  FrameCall call(*client_);
  StreamLivenessFramesRequest header;
  header.mutable_header()->set_verification_id(id_);
  header.mutable_header()->set_challenge_type_raw("not-in-the-session");
  call.Send(header);
  call.SendFrame("one");
  call.Close();

  const auto reply = call.Finish();

  EXPECT_EQ(reply.status.error_code(), StatusCode::INVALID_ARGUMENT);
  ASSERT_TRUE(reply.bad_request.has_value()) << Shown(reply);
  EXPECT_EQ(reply.bad_request->field_violations(0).field(), "header.challenge_type");
}

// The early answer ends the call while its caller still sends.
TEST_F(FramesTest, EndAtOnceWhenTheUpstreamAnswersEarly) {
  for (const bool closes : {true, false}) {
    SCOPED_TRACE(closes);
    sandbox_.ClearFaults();
    sandbox_.AddFault({{"kind", "status"},
                       {"status", 413},
                       {"early", true},
                       {"path_prefix", path_},
                       {"headers", closes ? Json{{"Connection", "close"}} : Json::object()}});
    FrameCall call(*client_);
    call.SendHeader(id_);
    const std::string frame(100'000, 'f');
    int sent = 0;
    while (sent < 100'000 && call.SendFrame(frame)) ++sent;

    const auto reply = call.Finish();

    EXPECT_LT(sent, 1000);
    EXPECT_EQ(reply.status.error_code(), StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(reply.reason(), "UPSTREAM_PAYLOAD_TOO_LARGE") << Shown(reply);
  }
}

// Nor does it need another frame to be seen.
TEST_F(FramesTest, EndAtOnceWhenTheUpstreamAnswersWhileTheCallerPauses) {
  sandbox_.AddFault({{"kind", "status"}, {"status", 409}, {"early", true}, {"path_prefix", path_}});
  FrameCall call(*client_, {.timeout = std::chrono::seconds(20)});
  call.SendHeader(id_);

  const auto reply = call.Finish();  // without having closed its side

  EXPECT_EQ(reply.status.error_code(), StatusCode::FAILED_PRECONDITION) << Shown(reply);
}

class FramesCapsTest : public FramesTest {
 protected:
  FramesCapsTest()
      : FramesTest({{"limits",
                     {{"frame_bytes", "1KiB"},
                      {"frames", 3},
                      {"stream_bytes", "3KiB"},
                      {"max_message", "1KiB"},
                      {"frame_idle", "300ms"},
                      {"upstream_stall", "300ms"},
                      {"max_deadline", "20s"}}}}) {}
};

TEST_F(FramesCapsTest, TakeWhatIsJustWithinThem) {
  // Of {"frames":["...","...","..."]}, 3,072 bytes at most.
  constexpr size_t kAround = 21;
  constexpr size_t kLeft = 3072 - kAround - size_t{2} * 1368;
  for (const size_t more : {0U, 1U}) {
    FrameCall call(*client_);
    call.SendHeader(id_);
    call.SendFrame(std::string(1024, 'a'));
    call.SendFrame(std::string(1024, 'b'));
    call.SendFrame(std::string(kLeft / 4 * 3 + more, 'c'));
    call.Close();

    const auto reply = call.Finish();

    EXPECT_EQ(reply.reason(), more == 0 ? "" : "STREAM_TOO_LARGE") << Shown(reply);
  }
}

TEST_F(FramesCapsTest, RefuseALargeFrame) {
  FrameCall call(*client_);
  call.SendHeader(id_);
  call.SendFrame(std::string(1025, 'a'));

  const auto reply = call.Finish();

  ExpectRefused(reply, "FRAME_TOO_LARGE");
  EXPECT_THAT(reply.status.error_message(), HasSubstr("1025 bytes; at most 1024"));
  ExpectGivenUp();
}

TEST_F(FramesCapsTest, RefuseALargeMessage) {
  FrameCall call(*client_);
  call.SendHeader(id_);
  StreamLivenessFramesRequest message;
  message.mutable_header()->set_verification_id(std::string(2049, 'v'));
  call.Send(message);

  ExpectRefused(call.Finish(), "MESSAGE_TOO_LARGE");
  ExpectGivenUp();
}

TEST_F(FramesCapsTest, RefuseAFrameTooMany) {
  FrameCall call(*client_);
  call.SendHeader(id_);
  for (int i = 0; i < 4; ++i) call.SendFrame("a");

  ExpectRefused(call.Finish(), "TOO_MANY_FRAMES");
  ExpectGivenUp();
}

TEST_F(FramesCapsTest, RefuseFramesThatAreTooLargeTogether) {
  FrameCall call(*client_);
  call.SendHeader(id_);
  for (int i = 0; i < 3; ++i) call.SendFrame(std::string(1000, 'a'));

  ExpectRefused(call.Finish(), "STREAM_TOO_LARGE");
  ExpectGivenUp();
}

TEST_F(FramesCapsTest, GiveUpACallerWhoFallsSilent) {
  for (const bool has_begun : {true, false}) {
    sandbox_.ForgetRequests();
    FrameCall call(*client_);
    if (has_begun) {
      call.SendHeader(id_);
      call.SendFrame("one");
    }

    const auto reply = call.Finish();  // without having closed its side

    ExpectRefused(reply, "STREAM_IDLE", StatusCode::DEADLINE_EXCEEDED, has_begun ? "1" : "0");
    EXPECT_THAT(reply.status.error_message(), HasSubstr("no message came for 0.3 s"));
    if (has_begun) ExpectGivenUp();
  }
}

class FramesSlowTest : public FramesTest {
 protected:
  FramesSlowTest()
      : FramesTest({{"limits", {{"upstream_stall", "3s"}, {"max_deadline", "20s"}}}}) {}

  // More than sockets hold.
  static int SendUntilStuck(FrameCall& call) {
    const std::string frame(size_t{1} << 20, 'f');
    int sent = 0;
    while (sent < 1000 && call.SendFrame(frame)) ++sent;
    return sent;
  }
};

TEST_F(FramesSlowTest, GiveUpAnUpstreamThatTakesNothing) {
  sandbox_.AddFault({{"kind", "slow_reading"}, {"bytes_per_second", 1}, {"path_prefix", path_}});
  FrameCall call(*client_);
  call.SendHeader(id_);

  EXPECT_LT(SendUntilStuck(call), 20);

  const auto reply = call.Finish();
  EXPECT_EQ(reply.status.error_code(), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(reply.reason(), "UPSTREAM_TIMEOUT") << Shown(reply);
  EXPECT_EQ(reply.info.metadata().at("blame"), "vendor");
  EXPECT_THAT(reply.status.error_message(), HasSubstr("took nothing of the frames for 3 s"));
}

TEST_F(FramesSlowTest, BearWithAnUpstreamThatIsSlow) {
  sandbox_.AddFault(
      {{"kind", "slow_reading"}, {"bytes_per_second", 300'000}, {"path_prefix", path_}});
  FrameCall call(*client_);
  call.SendHeader(id_);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(call.SendFrame(std::string(100'000, 'f')));
  call.Close();

  const auto reply = call.Finish();

  EXPECT_TRUE(reply.ok()) << Shown(reply);
}

TEST_F(FramesSlowTest, TellTheDeadlineByWhomTheyWaitedFor) {
  FrameCall silent(*client_, {.timeout = milliseconds(700)});
  silent.SendHeader(id_);
  silent.SendFrame("one");
  ExpectRefused(silent.Finish(), "STREAM_IDLE", StatusCode::DEADLINE_EXCEEDED);

  sandbox_.AddFault({{"kind", "hang"}, {"path_prefix", path_}});
  FrameCall whole(*client_, {.timeout = milliseconds(700)});
  whole.SendHeader(id_);
  whole.SendFrame("one");
  whole.Close();
  const auto reply = whole.Finish();
  EXPECT_EQ(reply.reason(), "UPSTREAM_TIMEOUT") << Shown(reply);
}

class FramesBufferedTest : public FramesTest {
 protected:
  FramesBufferedTest()
      : FramesTest({{"upstream",
                     {{"liveness_frames",
                       {{"buffered", true},
                        {"challenge_type_key", "kind"},
                        {"frames_per_second_key", "rate"},
                        {"frames_key", "frames"},
                        {"timestamps_key", "times"}}}}},
                    {"limits", {{"upload_memory", "64MiB"}, {"frame_idle", "60s"}}}}) {
    // As an upstream that needs to know the length.
    sandbox_.AddFault({{"kind", "length_required"}});
  }
};

TEST_F(FramesBufferedTest, AreSentWholeUnderTheConfiguredNames) {
  const std::string large = Picture(300'000, 1);
  FrameCall call(*client_);
  call.Send(
      Parse<StreamLivenessFramesRequest>("header { verification_id: '" + id_ +
                                         "' challenge_type_raw: 'blink' frames_per_second: 5 }"));
  call.SendFrame("one", microseconds(0));
  call.SendFrame(large, microseconds(200'000));
  EXPECT_TRUE(sandbox_.Requests(path_).empty());
  call.Close();

  const auto reply = call.Finish();

  const std::string body = R"({"kind":"blink","rate":5,"frames":["b25l",")" +
                           absl::Base64Escape(large) + R"("],"times":[0,200]})";
  const Json request = sandbox_.AwaitRequest(path_);
  EXPECT_EQ(request["body_sha256"], Sha256(body));
  EXPECT_EQ(request["headers"]["content-length"], std::to_string(body.size()));
  EXPECT_FALSE(request["headers"].contains("transfer-encoding"));
}

// A stream takes up all that it may become: of 64 MiB, 31 MiB twice.
TEST_F(FramesBufferedTest, AreRefusedWhenTheyCouldBecomeTooMuch) {
  FrameCall first(*client_);
  FrameCall second(*client_);
  for (FrameCall* call : {&first, &second}) {
    call->SendHeader(id_);
    call->SendFrame("one");
  }
  Outcome third;
  ASSERT_TRUE(WaitUntil([&] {
    FrameCall call(*client_);
    call.Close();
    third = call.Finish();
    return third.reason() == "GATEWAY_OVERLOADED";
  })) << Shown(third);
  EXPECT_THAT(third.status.error_message(), HasSubstr("limits.upload_memory"));
  EXPECT_TRUE(third.retry_info.has_value());

  first.Close();
  second.Close();
  EXPECT_TRUE(first.Finish().ok());
  EXPECT_TRUE(second.Finish().ok());
}

TEST(FramesChunkedTest, TellThatTheUpstreamTakesNoChunks) {
  const Sandbox sandbox;
  Gateway gateway(sandbox);
  const Client client(Connect(gateway.addresses()[0]));
  const std::string id = CreateWithSession(client, "test-approve-1");
  sandbox.AddFault({{"kind", "length_required"}});
  FrameCall call(client);
  call.SendHeader(id);
  call.SendFrame("one");
  call.Close();

  const auto reply = call.Finish();

  EXPECT_EQ(reply.reason(), "UPSTREAM_UNEXPECTED_STATUS") << Shown(reply);
  EXPECT_EQ(reply.info.metadata().at("http_status"), "411");
}

// Of how many frames, and of how many bytes each.
using Shape = std::tuple<int, size_t>;

class GoldenFramesTest : public FramesTest, public testing::WithParamInterface<Shape> {
 protected:
  GoldenFramesTest()
      : FramesTest({{"limits", {{"stream_bytes", "2GiB"}}}}, {"--max-body", "2GiB"}) {}
};

TEST_P(GoldenFramesTest, ArriveByteByByte) {
  const auto [frames, bytes] = GetParam();
  std::string body = R"({"frames":[)";
  FrameCall call(*client_, {.timeout = std::chrono::seconds(110)});
  ASSERT_TRUE(call.SendHeader(id_));
  for (int i = 0; i < frames; ++i) {
    const std::string picture = Picture(bytes, i);
    ASSERT_TRUE(call.SendFrame(picture)) << Shown(call.Finish());
    absl::StrAppend(&body, i == 0 ? "\"" : ",\"", absl::Base64Escape(picture), "\"");
  }
  body += "]}";
  ASSERT_TRUE(call.SendEndMark(frames));
  call.Close();

  const auto reply = call.Finish();

  ASSERT_TRUE(reply.ok()) << Shown(reply);
  const Json request = sandbox_.AwaitRequest(path_);
  EXPECT_TRUE(request["body_complete"].get<bool>());
  EXPECT_EQ(request["body_bytes"], body.size());
  EXPECT_EQ(request["body_sha256"], Sha256(body));
}

constexpr size_t kKiB = 1024;

std::string ShapeName(const testing::TestParamInfo<Shape>& info) {
  return absl::StrCat(std::get<0>(info.param), "Of", std::get<1>(info.param));
}

INSTANTIATE_TEST_SUITE_P(Few, GoldenFramesTest,
                         testing::Combine(testing::Values(1, 2),
                                          testing::Values(1, 2, 3, 4, 64 * kKiB, 2048 * kKiB)),
                         ShapeName);
INSTANTIATE_TEST_SUITE_P(Many, GoldenFramesTest,
                         testing::Combine(testing::Values(600),
                                          testing::Values(1, 2, 3, 4, 64 * kKiB)),
                         ShapeName);

// 1.7 GB of JSON.
INSTANTIATE_TEST_SUITE_P(Most, GoldenFramesTest,
                         testing::ValuesIn(chaos::Sized<std::vector<Shape>>({},
                                                                            {{600, 2048 * kKiB}})),
                         ShapeName);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(GoldenFramesTest);

}  // namespace
}  // namespace idv::e2e
