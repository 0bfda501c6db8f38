// Traces: what a collector is sent of calls, and what the upstream is told.

#include <absl/strings/escaping.h>
#include <gmock/gmock.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kora/idv/v1/biometric_service.grpc.pb.h"
#include "kora/idv/v1/liveness_service.grpc.pb.h"
#include "kora/idv/v1/reference_service.grpc.pb.h"
#include "kora/idv/v1/verification_service.grpc.pb.h"
#include "metrics/span_exporter.h"
#include "tests/e2e/attempt.h"
#include "tests/e2e/fault_rows.h"
#include "tests/e2e/frame_call.h"
#include "tests/e2e/steps.h"
#include "tests/e2e/watch.h"
#include "tests/metrics/collected.h"
#include "tests/upstream/stub_server.h"

namespace idv::e2e {
namespace {

using kora::idv::v1::GetVerificationRequest;
using kora::idv::v1::ReferenceService;
using kora::idv::v1::VerificationService;
using std::chrono::milliseconds;

constexpr char kTraceId[] = "0af7651916cd43dd8448eb211c80319c";
constexpr char kCallersSpan[] = "b7ad6b7169203331";

std::string Hex(const Json& base64) {
  std::string bytes;
  EXPECT_TRUE(absl::Base64Unescape(base64.get<std::string>(), &bytes));
  return absl::BytesToHexString(bytes);
}

class TraceTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!SpanExporter::IsBuiltIn()) GTEST_SKIP() << "opentelemetry-cpp is not installed";
  }

  void Start(Json tracing) {
    Json config = OneRequestPerCall(BasicConfig(sandbox_.base_url()));
    config["listen"]["admin"] = "127.0.0.1:0";
    config["tracing"] = std::move(tracing);
    gateway_.emplace(config);
    client_.emplace(Connect(gateway_->addresses()[0]));
  }
  void StartWithCollector(double sample_ratio, bool propagates = false) {
    Start({{"otlp_endpoint", collector_.url()},
           {"sample_ratio", sample_ratio},
           {"propagate_upstream", propagates}});
  }

  Reply<kora::idv::v1::Verification> Get(const CallOptions& options = {}) {
    GetVerificationRequest request;
    request.set_verification_id("unknown");
    return client_->Call(&VerificationService::Stub::GetVerification, request, options);
  }
  // As a part of a trace that its caller has begun.
  static CallOptions PartOf(const std::string& flags) {
    return {.metadata = {
                {"traceparent", std::string("00-") + kTraceId + "-" + kCallersSpan + "-" + flags},
                {"tracestate", "vendor=1"}}};
  }

  // All that has been collected, when there is so much.
  std::vector<Json> Spans(size_t count) {
    EXPECT_TRUE(WaitUntil([&] { return SpansAt(collector_) >= count; })) << SpansAt(collector_);
    std::vector<Json> spans;
    for (const StubServer::Request& request : collector_.requests()) {
      for (const Json& span : SpansIn(request.body)) spans.push_back(span);
    }
    return spans;
  }

  const Sandbox sandbox_;
  StubServer collector_{[](const auto&) { return StubServer::Http(200, ""); }};
  std::optional<Gateway> gateway_;
  std::optional<Client> client_;
};

TEST_F(TraceTest, ACallIsASpanWithOneForEachPartOfIt) {
  StartWithCollector(0);
  const auto reply = Get(PartOf("01"));

  const std::vector<Json> spans = Spans(2);
  ASSERT_EQ(spans.size(), 2U);
  const Json& call = spans[0];
  EXPECT_EQ(Hex(call.at("traceId")), kTraceId);
  EXPECT_EQ(Hex(call.at("parentSpanId")), kCallersSpan);
  EXPECT_EQ(call.at("name"), "kora.idv.v1.VerificationService/GetVerification");
  EXPECT_EQ(call.at("kind"), "SPAN_KIND_SERVER");
  EXPECT_EQ(call.at("status").at("code"), "STATUS_CODE_ERROR");
  const Json attributes = AttributesOf(call);
  EXPECT_EQ(attributes.at("rpc.method"), "GetVerification");
  EXPECT_EQ(attributes.at("rpc.grpc.status_code"), "5");
  EXPECT_EQ(attributes.at("idv.reason"), "VERIFICATION_NOT_FOUND");
  EXPECT_EQ(attributes.at("idv.blame"), "caller");
  EXPECT_EQ(attributes.at("idv.tenant"), "acme");
  EXPECT_EQ(attributes.at("idv.caller"), "local");
  EXPECT_EQ(attributes.at("idv.request_id"), reply.Trailer("x-request-id"));
  const Json& upstream = spans[1];
  EXPECT_EQ(upstream.at("traceId"), call.at("traceId"));
  EXPECT_EQ(upstream.at("parentSpanId"), call.at("spanId"));
  EXPECT_EQ(upstream.at("name"), "upstream");
  EXPECT_EQ(upstream.at("kind"), "SPAN_KIND_CLIENT");
  EXPECT_EQ(AttributesOf(upstream).at("http.response.status_code"), "404");
  const auto time = [](const Json& span, const char* which) {
    return std::stoull(span.at(which).get<std::string>());
  };
  EXPECT_LE(time(call, "startTimeUnixNano"), time(upstream, "startTimeUnixNano"));
  EXPECT_GE(time(call, "endTimeUnixNano"), time(upstream, "endTimeUnixNano"));
  EXPECT_TRUE(gateway_->IsLogged(std::string(R"("trace_id":")") + kTraceId + "\""));
}

TEST_F(TraceTest, SpansNameWhatTheCallerIsTold) {
  StartWithCollector(1);
  std::map<std::string, Json> told;
  const auto keep = [&](const Outcome& outcome) {
    const auto& metadata = outcome.info.metadata();
    const auto blame = metadata.find("blame");
    told[*outcome.Trailer("x-request-id")] = {
        {"code", std::to_string(outcome.status.error_code())},
        {"reason", outcome.reason()},
        {"blame", blame == metadata.end() ? "" : blame->second}};
  };
  for (const FaultRow& row : FaultRows()) {
    sandbox_.AddFault(row.fault);
    keep(TryGet(*client_, milliseconds(300)));
    sandbox_.ClearFaults();
  }
  keep(client_->CallRaw("/kora.idv.v1.VerificationService/CreateVerification", "\x0a\x7f"));
  keep(Get({.metadata = {{"x-idv-tenant", "nobody"}}}));
  FrameCall broken(*client_);
  broken.SendFrame("frame without a header");
  keep(broken.Finish());

  std::map<std::string, Json> seen;
  EXPECT_TRUE(WaitUntil([&] {
    for (const Json& span : Spans(0)) {
      if (span.at("kind") != "SPAN_KIND_SERVER") continue;
      const Json attributes = AttributesOf(span);
      seen[attributes.at("idv.request_id")] = {{"code", attributes.at("rpc.grpc.status_code")},
                                               {"reason", attributes.value("idv.reason", "")},
                                               {"blame", attributes.value("idv.blame", "")}};
    }
    return seen.size() == told.size();
  }));
  EXPECT_EQ(seen, told);
}

TEST_F(TraceTest, WhatIsNotSampledIsNotSent) {
  StartWithCollector(0);
  Get();
  Get(PartOf("00"));
  Get(PartOf("01"));

  EXPECT_EQ(Spans(2).size(), 2U);
  EXPECT_TRUE(WaitUntil(
      [&] { return SumOf(SeriesOf(*gateway_), "idv_gateway_spans_exported_total") == 2; }));
}

TEST_F(TraceTest, AnAnswerOutOfTheCacheHasNoPartAtTheUpstream) {
  Json config = BasicConfig(sandbox_.base_url());
  config["tracing"] = {{"otlp_endpoint", collector_.url()}, {"sample_ratio", 1}};
  gateway_.emplace(config);
  client_.emplace(Connect(gateway_->addresses()[0]));
  const auto list = [&] {
    return client_->Call(&ReferenceService::Stub::ListDocumentTypes,
                         kora::idv::v1::ListDocumentTypesRequest());
  };
  EXPECT_TRUE(list().ok());
  EXPECT_TRUE(list().ok());

  const std::vector<Json> spans = Spans(3);
  ASSERT_EQ(spans.size(), 3U);
  EXPECT_EQ(AttributesOf(spans[2]).at("idv.cache"), "hit");
}

TEST_F(TraceTest, TheUpstreamIsToldIfThatIsWanted) {
  StartWithCollector(0, /*propagates=*/true);
  CallOptions options = PartOf("01");
  options.metadata.emplace("x-request-id", "r-1");
  Get(options);
  const std::string id = CreateWithSession(*client_, "test-approve-1");
  FrameCall call(*client_, PartOf("01"));
  ASSERT_TRUE(call.SendHeader(id));
  ASSERT_TRUE(call.SendFrame("frame"));
  call.Close();
  EXPECT_TRUE(call.Finish().ok());

  std::map<std::string, std::string> by_span;  // the name of each span
  for (const Json& span : Spans(4)) by_span[Hex(span.at("spanId"))] = span.at("name");
  const auto expect_told = [&](const std::string& path) {
    const Json headers = sandbox_.AwaitRequest(path).at("headers");
    const std::string traceparent = headers.at("traceparent");
    ASSERT_EQ(traceparent.size(), 55U);
    EXPECT_EQ(traceparent.substr(0, 36), std::string("00-") + kTraceId + "-");
    EXPECT_EQ(by_span[traceparent.substr(36, 16)], "upstream");
    EXPECT_EQ(traceparent.substr(52), "-01");
    EXPECT_EQ(headers.at("tracestate"), "vendor=1");
    EXPECT_FALSE(headers.at("x-request-id").get<std::string>().empty());
  };
  expect_told("/verifications/unknown");
  expect_told("/verifications/" + id + "/liveness/frames");
  EXPECT_EQ(sandbox_.AwaitRequest("/verifications/unknown").at("headers").at("x-request-id"),
            "r-1");
}

TEST_F(TraceTest, TheUpstreamIsToldNothingElse) {
  StartWithCollector(1);
  Get(PartOf("01"));

  const Json headers = sandbox_.AwaitRequest("/verifications/unknown").at("headers");
  for (const char* const name : {"traceparent", "tracestate", "x-request-id"}) {
    EXPECT_FALSE(headers.contains(name)) << name;
  }
}

TEST_F(TraceTest, CallsGoOnWithoutTheCollector) {
  for (const std::string& endpoint :
       {std::string("http://127.0.0.1:9"),
        StubServer([](const auto&) { return StubServer::Reply{.hang = true}; }).url()}) {
    Start({{"otlp_endpoint", endpoint}, {"sample_ratio", 1}});
    for (int i = 0; i < 100; ++i) ASSERT_EQ(Get().reason(), "VERIFICATION_NOT_FOUND");

    EXPECT_TRUE(WaitUntil(
        [&] { return SumOf(SeriesOf(*gateway_), "idv_gateway_spans_dropped_total") > 0; }));
    EXPECT_TRUE(gateway_->IsLogged("spans were dropped"));
    EXPECT_EQ(gateway_->Stop(), 0);
  }
}

TEST(TracingConfigTest, ACollectorNeedsTheLibrary) {
  Json config = BasicConfig("http://127.0.0.1:9/api/v1/idv");
  config["tracing"] = {{"otlp_endpoint", "http://127.0.0.1:4318"}};
  const TempDir dir;
  const auto process = RunGateway(dir.Write("gateway.yaml", config.dump()), {"--check"});

  EXPECT_EQ(process->Wait(), SpanExporter::IsBuiltIn() ? 0 : 2);
  if (SpanExporter::IsBuiltIn()) return;
  EXPECT_THAT(process->Err(), testing::HasSubstr("tracing.otlp_endpoint"));
}

}  // namespace
}  // namespace idv::e2e
