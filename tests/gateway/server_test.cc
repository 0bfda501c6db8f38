#include "gateway/server.h"

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/gateway/probe_gateway.h"

namespace idv {
namespace {

using idv::test::Found;
using idv::test::ProbeService;
using idv::test::Stored;
using std::chrono::milliseconds;

class ServerTest : public ProbeGatewayTest {};

TEST_P(ServerTest, ServesAnRpcThatIsNothingButAProto) {
  Start([](const auto&) {
    return StubServer::Http(201, R"({"id":"stored","colour":"red","ratio":0.5})");
  });
  grpc::ClientContext context;
  Stored stored;

  const grpc::Status status = stub_->Store(&context, Complete(), &stored);

  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(stored.id(), "stored");
  EXPECT_EQ(stored.colour(), idv::test::COLOUR_RED);
  EXPECT_EQ(stored.ratio(), 0.5);
  const StubServer::Request sent = upstream_->requests().at(0);
  EXPECT_EQ(sent.verb, "PUT");
  EXPECT_EQ(sent.target, "/base/probes/p%2F1/parts/red");
  EXPECT_EQ(sent.headers.at("x-signed-by"), "me");
  EXPECT_EQ(sent.headers.at("authorization"), "Bearer key-1");
  EXPECT_EQ(sent.headers.at("x-tenant-id"), kTenantId);
  EXPECT_EQ(sent.body, R"({"text":"t","pictureBase64":"AAEC","sure":false})");
}

TEST_P(ServerTest, ServesManyCallsFromManyConnections) {
  Start([](const auto&) { return StubServer::Http(200, R"([{"text":"one"}])"); });
  constexpr int kThreads = 8;
  constexpr int kCalls = 200;
  std::atomic<int> good = 0;
  std::mutex mutex;
  std::set<std::string> failures;  // protected by mutex
  std::vector<std::thread> threads;

  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      grpc::ChannelArguments arguments;
      arguments.SetInt("idv.test.connection", i);  // a connection of its own
      const auto stub = ProbeService::NewStub(grpc::CreateCustomChannel(
          server_->addresses().at(0), grpc::InsecureChannelCredentials(), arguments));
      for (int call = 0; call < kCalls; ++call) {
        grpc::ClientContext context;
        // gRPC 1.51's client now and then takes a connection in progress for a failed one.
        context.set_wait_for_ready(true);
        Found found;
        const grpc::Status status = stub->Find(&context, {}, &found);
        if (status.ok() && found.items(0).text() == "one") ++good;
        if (status.ok()) continue;
        const std::lock_guard lock(mutex);
        failures.insert(status.error_message());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(good, kThreads * kCalls) << testing::PrintToString(failures);
}

TEST_P(ServerTest, AnswersBeforeTheCallersDeadlineWhenTheUpstreamHangs) {
  Start(Hanging());
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + milliseconds(300));
  Found found;

  const grpc::Status status = stub_->Find(&context, {}, &found);

  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(ReasonOf(status), "UPSTREAM_TIMEOUT");
}

TEST_P(ServerTest, TakesTheDefaultDeadlineWhenTheCallerSetsNone) {
  Start(Hanging(), "limits: {default_deadline: 100ms}\n");
  grpc::ClientContext context;
  Found found;

  const grpc::Status status = stub_->Find(&context, {}, &found);

  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
}

TEST_P(ServerTest, CutsADeadlineToTheMaximum) {
  Start(Hanging(), "limits: {default_deadline: 100ms, max_deadline: 200ms}\n");
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  Found found;

  const grpc::Status status = stub_->Find(&context, {}, &found);

  EXPECT_EQ(ReasonOf(status), "UPSTREAM_TIMEOUT");
}

TEST_P(ServerTest, MakesEveryUnreadableAnswerABadResponse) {
  for (const std::string body : {"", "<html></html>", R"({"items":[{"te)", R"({"items":{}})", "7",
                                 R"({"total":1e999})", "{\"items\":[{\"text\":\"\\ud800\"}]}"}) {
    server_.reset();
    Start([&](const auto&) { return StubServer::Http(200, body); });
    grpc::ClientContext context;
    Found found;

    const grpc::Status status = stub_->Find(&context, {}, &found);

    EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL) << body;
    EXPECT_EQ(ReasonOf(status), "UPSTREAM_BAD_RESPONSE") << body;
  }
}

TEST_P(ServerTest, TakesNoBodyWhereTheAnswerMayBeEmpty) {
  Start([](const auto&) { return StubServer::Reply{.bytes = "HTTP/1.1 204 No Content\r\n\r\n"}; });
  grpc::ClientContext context;
  idv::test::RemoveRequest request;
  request.set_probe_id("p");
  Stored stored;

  const grpc::Status status = stub_->Remove(&context, request, &stored);

  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(upstream_->requests().at(0).verb, "DELETE");
}

// A few kB could unfold to gigabytes.
TEST_P(ServerTest, TakesNoCompressedMessage) {
  Start([](const auto&) { return StubServer::Http(200, "{}"); });
  for (const auto algorithm : {GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
    grpc::ClientContext context;
    context.set_compression_algorithm(algorithm);
    test::StoreRequest request = Complete();
    request.set_picture(std::string(size_t{1} << 20, 'x'));
    Stored stored;

    const grpc::Status status = stub_->Store(&context, request, &stored);

    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED) << status.error_message();
    EXPECT_TRUE(upstream_->requests().empty());
  }
}

TEST_P(ServerTest, RefusesAnAnswerOverTheCap) {
  Start([](const auto&) { return StubServer::Http(200, std::string(5000, ' ')); },
        "limits: {upstream_response: 4KiB}\n");
  grpc::ClientContext context;
  Found found;

  EXPECT_EQ(ReasonOf(stub_->Find(&context, {}, &found)), "UPSTREAM_RESPONSE_TOO_LARGE");
}

TEST_P(ServerTest, StartsAndStopsWithoutACall) {
  for (int i = 0; i < 20; ++i) {
    Start([](const auto&) { return StubServer::Http(200, ""); });
    server_.reset();
  }
}

TEST_P(ServerTest, RefusesAnAddressThatIsTaken) {
  Start([](const auto&) { return StubServer::Http(200, ""); });
  const auto loaded = LoadConfig(
      "listen: {grpc: ['" + server_->addresses().at(0) + "']}\nupstream: {base_url: '" +
          upstream_->url() + "'}\ntenants: [{name: a, tenant_id: " + kTenantId +
          ", api_key: {env: X}}]\ncallers: [{identity: local, tenants: ['*'], methods: ['*']}]\n",
      methods_->Names(), 2);

  const auto second =
      Server::Start(loaded->config, *methods_, KeysOfTenant("a", kTenantId), NoReports());

  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(second.status().message().find(server_->addresses().at(0)), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Shards, ServerTest, testing::Values(1, 2, 4), ShardsName);

}  // namespace
}  // namespace idv
