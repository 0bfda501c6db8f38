#include "metrics/span_exporter.h"

#include <absl/strings/escaping.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "tests/eventually.h"
#include "tests/metrics/collected.h"
#include "tests/upstream/stub_server.h"

namespace idv {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr int kOk = 200;
constexpr int kServiceUnavailable = 503;
constexpr milliseconds kSlow{200};

std::vector<Span> Spans(size_t count) {
  Span span{.name = "a span", .duration = milliseconds(1), .attributes = {{"key", "value"}}};
  span.trace_id[0] = 1;
  span.span_id[0] = 1;
  return std::vector<Span>(count, span);
}

std::string Base64(std::string_view bytes) {
  return absl::Base64Escape({bytes.data(), bytes.size()});
}

StubServer::Reply Take(const StubServer::Request&) { return StubServer::Http(kOk, ""); }

StubServer::Reply TakeSlowly(const StubServer::Request&) {
  std::this_thread::sleep_for(kSlow);
  return StubServer::Http(kOk, "");
}

StubServer::Reply Refuse(const StubServer::Request&) {
  return StubServer::Http(kServiceUnavailable, "too much");
}

StubServer::Reply NeverAnswer(const StubServer::Request&) { return {.hang = true}; }

std::string UrlWithoutServer() { return StubServer(Take).url(); }

class SpanExporterTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!SpanExporter::IsBuiltIn()) GTEST_SKIP() << "opentelemetry-cpp is not installed";
  }

  std::unique_ptr<SpanExporter> Start(const std::string& endpoint) {
    auto exporter = SpanExporter::Start({.collector = {.endpoint = endpoint,
                                                       .service_name = "idv-gateway",
                                                       .service_version = "1.2.3",
                                                       .service_instance = "host-1"},
                                         .on_problem = [this](const std::string& problem) {
                                           const std::lock_guard lock(mutex_);
                                           problems_.push_back(problem);
                                         }});
    EXPECT_TRUE(exporter.ok()) << exporter.status();
    return *std::move(exporter);
  }

  std::vector<std::string> problems() {
    const std::lock_guard lock(mutex_);
    return problems_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> problems_;  // protected by mutex_
};

steady_clock::duration TimeOfEnding(std::unique_ptr<SpanExporter> exporter) {
  const auto begin = steady_clock::now();
  exporter.reset();
  return steady_clock::now() - begin;
}

TEST(SpanExporterStartTest, SaysWhenItIsNotBuiltIn) {
  const auto exporter = SpanExporter::Start({.collector = {.endpoint = "http://127.0.0.1:4318"}});

  EXPECT_EQ(exporter.status().code(),
            SpanExporter::IsBuiltIn() ? absl::StatusCode::kOk : absl::StatusCode::kUnimplemented);
}

TEST_F(SpanExporterTest, SendsWhatASpanHolds) {
  StubServer collector(Take);
  Span span{.trace_id = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
            .span_id = {1, 2, 3, 4, 5, 6, 7, 8},
            .parent_span_id = SpanId{8, 7, 6, 5, 4, 3, 2, 1},
            .name = "kora.idv.v1.VerificationService/GetVerification",
            .kind = Span::Kind::kServer,
            .begin = std::chrono::system_clock::time_point(seconds(1'700'000'000)),
            .duration = milliseconds(1500),
            .attributes = {{"rpc.system", "grpc"}, {"attempts", int64_t{3}}, {"cached", true}},
            .is_error = true,
            .status_text = "UPSTREAM_TIMEOUT"};
  Span root{.trace_id = span.trace_id, .span_id = {9}, .name = "root"};
  Span client{.trace_id = span.trace_id, .span_id = {10}, .name = "c", .kind = Span::Kind::kClient};

  Start(collector.url())->Export({span, root, client});

  ASSERT_EQ(collector.requests().size(), 1U);
  const StubServer::Request request = collector.requests()[0];
  EXPECT_EQ(request.verb, "POST");
  EXPECT_EQ(request.target, "/v1/traces");
  EXPECT_EQ(request.headers.at("content-type"), "application/x-protobuf");
  const json resource = Decoded(request.body).at("resourceSpans").at(0).at("resource");
  EXPECT_EQ(AttributesOf(resource).at("service.name"), "idv-gateway");
  EXPECT_EQ(AttributesOf(resource).at("service.version"), "1.2.3");
  EXPECT_EQ(AttributesOf(resource).at("service.instance.id"), "host-1");
  const json spans = SpansIn(request.body);
  ASSERT_EQ(spans.size(), 3U);
  const json& sent = spans.at(0);
  EXPECT_EQ(sent.at("traceId"),
            Base64("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10"));
  EXPECT_EQ(sent.at("spanId"), Base64("\x01\x02\x03\x04\x05\x06\x07\x08"));
  EXPECT_EQ(sent.at("parentSpanId"), Base64("\x08\x07\x06\x05\x04\x03\x02\x01"));
  EXPECT_EQ(sent.at("name"), span.name);
  EXPECT_EQ(sent.at("kind"), "SPAN_KIND_SERVER");
  EXPECT_EQ(sent.at("startTimeUnixNano"), "1700000000000000000");
  EXPECT_EQ(sent.at("endTimeUnixNano"), "1700000001500000000");
  EXPECT_EQ(AttributesOf(sent),
            json({{"rpc.system", "grpc"}, {"attempts", "3"}, {"cached", true}}));
  EXPECT_EQ(sent.at("status"),
            json({{"code", "STATUS_CODE_ERROR"}, {"message", "UPSTREAM_TIMEOUT"}}));
  EXPECT_EQ(spans.at(1).value("parentSpanId", ""), "");
  EXPECT_EQ(spans.at(1).at("kind"), "SPAN_KIND_INTERNAL");
  EXPECT_EQ(spans.at(1).value("status", json::object()), json::object());
  EXPECT_EQ(spans.at(2).at("kind"), "SPAN_KIND_CLIENT");
}

TEST_F(SpanExporterTest, AddsThePathOfTracesToTheEndpoints) {
  StubServer collector(Take);

  Start(collector.url() + "/otlp")->Export(Spans(1));
  Start(collector.url() + "/otlp/")->Export(Spans(1));

  ASSERT_EQ(collector.requests().size(), 2U);
  EXPECT_EQ(collector.requests()[0].target, "/otlp/v1/traces");
  EXPECT_EQ(collector.requests()[1].target, "/otlp/v1/traces");
}

TEST_F(SpanExporterTest, RefusesWhatIsNoEndpoint) {
  for (const char* const endpoint :
       {"", "collector:4318", "127.0.0.1", "ftp://collector", "http://", "http:///path",
        "http://collector:port", "http://collector:70000", "http://user:pass@collector",
        "http://user@collector", "http://collector?a=b", "http://collector#a", "http://a b",
        "http://collector\n"}) {
    const auto exporter = SpanExporter::Start({.collector = {.endpoint = endpoint}});

    EXPECT_EQ(exporter.status().code(), absl::StatusCode::kInvalidArgument) << endpoint;
  }
}

TEST_F(SpanExporterTest, SendsWithinASecondOrSoInBatches) {
  StubServer collector(Take);
  const auto exporter = Start(collector.url());

  for (int i = 0; i < 100; ++i) exporter->Export(Spans(3));

  EXPECT_TRUE(Eventually([&] { return exporter->exported() == 300; }));
  EXPECT_LE(collector.requests().size(), 2U);
  EXPECT_EQ(SpansAt(collector), 300U);
  EXPECT_EQ(exporter->dropped(), 0U);
}

TEST_F(SpanExporterTest, TakesSpansOfManyThreads) {
  constexpr size_t kThreads = 4;
  constexpr size_t kCalls = 500;
  StubServer collector(Take);
  auto exporter = Start(collector.url());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (size_t call = 0; call < kCalls; ++call) exporter->Export(Spans(3));
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_TRUE(Eventually([&] { return exporter->exported() == kThreads * kCalls * 3; }));
  EXPECT_LT(TimeOfEnding(std::move(exporter)), seconds(1));
  EXPECT_EQ(SpansAt(collector), kThreads * kCalls * 3);
}

TEST_F(SpanExporterTest, CountsWhatADeadCollectorDoesNotTakeAndSaysItOnce) {
  testing::internal::CaptureStderr();
  auto exporter = Start(UrlWithoutServer());

  for (const size_t count : {3U, 6U, 9U}) {
    exporter->Export(Spans(3));
    EXPECT_TRUE(Eventually([&] { return exporter->dropped() == count; }));
  }

  EXPECT_EQ(exporter->exported(), 0U);
  exporter->Export(Spans(3));
  EXPECT_LT(TimeOfEnding(std::move(exporter)), seconds(2));
  EXPECT_THAT(problems(), testing::ElementsAre(testing::HasSubstr("connect")));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(SpanExporterTest, GivesUpOnACollectorThatHangs) {
  StubServer collector(NeverAnswer);
  auto exporter = Start(collector.url());

  exporter->Export(Spans(3));
  EXPECT_TRUE(Eventually([&] { return exporter->dropped() == 3; }));
  for (int i = 0; i < 5; ++i) exporter->Export(Spans(512));
  EXPECT_TRUE(Eventually([&] { return collector.requests().size() >= 2; }));

  // Of the request that is on its way, and no further one.
  EXPECT_LT(TimeOfEnding(std::move(exporter)), milliseconds(1500));
  EXPECT_EQ(problems().size(), 1U);
}

TEST_F(SpanExporterTest, GoesOnWhenTheCollectorTakesSpansAgain) {
  std::atomic<bool> is_full = true;
  StubServer collector([&](const StubServer::Request& request) {
    return is_full ? Refuse(request) : Take(request);
  });
  auto exporter = Start(collector.url());

  exporter->Export(Spans(3));
  EXPECT_TRUE(Eventually([&] { return exporter->dropped() == 3; }));
  EXPECT_THAT(problems(), testing::ElementsAre(testing::HasSubstr("503")));
  EXPECT_EQ(exporter->exported(), 0U);
  is_full = false;
  exporter->Export(Spans(4));

  EXPECT_TRUE(Eventually([&] { return exporter->exported() == 4; }));
  EXPECT_EQ(exporter->dropped(), 3U);
  is_full = true;
  exporter->Export(Spans(5));
  EXPECT_LT(TimeOfEnding(std::move(exporter)), seconds(2));
}

TEST_F(SpanExporterTest, DropsWhatComesFasterThanASlowCollectorTakes) {
  constexpr size_t kSpans = 100'000;
  constexpr size_t kInBatch = 512;
  StubServer collector(TakeSlowly);
  auto exporter = Start(collector.url());

  const auto begin = steady_clock::now();
  for (size_t i = 0; i < kSpans / 4; ++i) exporter->Export(Spans(4));
  const auto time = steady_clock::now() - begin;
  const size_t ended = exporter->exported() + exporter->dropped();

  // It would take more than half a minute if it waited.
  EXPECT_LT(time, seconds(10));
  EXPECT_LE(kSpans - ended, SpanExporter::kMaxQueued + kInBatch);
  EXPECT_GT(exporter->dropped(), 0U);
  EXPECT_TRUE(Eventually([&] { return exporter->exported() + exporter->dropped() == kSpans; }));
  EXPECT_GT(exporter->exported(), SpanExporter::kMaxQueued / 2);
  EXPECT_EQ(SpansAt(collector), exporter->exported());
}

TEST_F(SpanExporterTest, EndsInTimeWhileASlowCollectorHasMuchToTake) {
  StubServer collector(TakeSlowly);
  auto exporter = Start(collector.url());

  for (int i = 0; i < 16; ++i) exporter->Export(Spans(512));

  EXPECT_LT(TimeOfEnding(std::move(exporter)), seconds(2));
  EXPECT_GE(collector.requests().size(), 2U);
  EXPECT_LT(collector.requests().size(), 16U);
}

}  // namespace
}  // namespace idv
