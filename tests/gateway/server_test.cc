#include "gateway/server.h"

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>

#include "tests/upstream/probe.grpc.pb.h"
#include "tests/upstream/stub_server.h"

namespace idv {
namespace {

using idv::test::Found;
using idv::test::ProbeService;
using idv::test::Stored;
using std::chrono::milliseconds;

constexpr const char* kTenantId = "550e8400-e29b-41d4-a716-446655440000";

// A whole gateway in this process that serves the test-only service, which is nothing but a proto:
// what it takes to serve another RPC is one RPC in a proto.
class ServerTest : public testing::TestWithParam<int> {
 protected:
  void Start(StubServer::Handler handler, const std::string& more_config = "") {
    upstream_.emplace(std::move(handler));
    methods_.emplace(*Methods::Compile(
        {idv::test::StoreRequest::descriptor()->file()->FindServiceByName("ProbeService")}));
    const auto loaded =
        LoadConfig("listen: {grpc: ['127.0.0.1:0']}\nupstream: {base_url: '" + upstream_->url() +
                       "/base'}\ntenants: [{name: acme, tenant_id: " + kTenantId +
                       ", api_key: {env: X}}]\ncallers: [{identity: local, tenants: ['*'], "
                       "methods: ['*']}]\nshards: " +
                       std::to_string(GetParam()) + "\n" + more_config,
                   methods_->Names(), 2);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    auto server = Server::Start(loaded->config, *methods_, {{kTenantId, "key-1"}},
                                [](const auto&, const auto&) {});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    const auto channel =
        grpc::CreateChannel(server_->addresses().at(0), grpc::InsecureChannelCredentials());
    ASSERT_TRUE(
        channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(10)));
    stub_ = ProbeService::NewStub(channel);
  }

  static idv::test::StoreRequest Complete() {
    idv::test::StoreRequest request;
    request.set_probe_id("p/1");
    request.set_part(idv::test::COLOUR_RED);
    request.set_signed_by("me");
    request.set_text("t");
    request.set_picture(std::string("\x00\x01\x02", 3));
    return request;
  }

  static std::string ReasonOf(const grpc::Status& status) {
    google::rpc::Status details;
    google::rpc::ErrorInfo info;
    details.ParseFromString(status.error_details());
    return details.details_size() > 0 && details.details(0).UnpackTo(&info) ? info.reason() : "";
  }

  std::optional<StubServer> upstream_;
  std::optional<Methods> methods_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<ProbeService::Stub> stub_;
};

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
  Start([](const auto&) { return StubServer::Reply{.bytes = "", .close = false, .hang = true}; });
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + milliseconds(300));
  Found found;

  const grpc::Status status = stub_->Find(&context, {}, &found);

  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(ReasonOf(status), "UPSTREAM_TIMEOUT");
}

TEST_P(ServerTest, TakesTheDefaultDeadlineWhenTheCallerSetsNone) {
  Start([](const auto&) { return StubServer::Reply{.bytes = "", .close = false, .hang = true}; },
        "limits: {default_deadline: 100ms}\n");
  grpc::ClientContext context;
  Found found;

  const grpc::Status status = stub_->Find(&context, {}, &found);

  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
}

TEST_P(ServerTest, CutsADeadlineToTheMaximum) {
  Start([](const auto&) { return StubServer::Reply{.bytes = "", .close = false, .hang = true}; },
        "limits: {default_deadline: 100ms, max_deadline: 200ms}\n");
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

TEST_P(ServerTest, RefusesAnAnswerOverTheCap) {
  Start([](const auto&) { return StubServer::Http(200, std::string(5000, ' ')); },
        "limits: {upstream_response: 4KiB}\n");
  grpc::ClientContext context;
  Found found;

  EXPECT_EQ(ReasonOf(stub_->Find(&context, {}, &found)), "UPSTREAM_RESPONSE_TOO_LARGE");
}

TEST_P(ServerTest, LetsRunningCallsEndWhenItShutsDown) {
  Start([](const auto&) {
    std::this_thread::sleep_for(milliseconds(200));  // a slow upstream
    return StubServer::Http(200, R"({"total":1})");
  });
  std::promise<grpc::Status> ended;
  std::thread caller([&] {
    grpc::ClientContext context;
    Found found;
    ended.set_value(stub_->Find(&context, {}, &found));
  });
  while (upstream_->requests().empty()) std::this_thread::yield();

  server_->Shutdown(std::chrono::seconds(10));

  EXPECT_TRUE(ended.get_future().get().ok());
  caller.join();
}

TEST_P(ServerTest, CancelsWhatIsLeftAfterTheGrace) {
  Start([](const auto&) { return StubServer::Reply{.bytes = "", .close = false, .hang = true}; });
  std::promise<grpc::Status> ended;
  std::thread caller([&] {
    grpc::ClientContext context;
    Found found;
    ended.set_value(stub_->Find(&context, {}, &found));
  });
  while (upstream_->requests().empty()) std::this_thread::yield();

  server_->Shutdown(milliseconds(50));

  EXPECT_FALSE(ended.get_future().get().ok());
  caller.join();
  while (upstream_->hang_ups() == 0) std::this_thread::yield();
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
      Server::Start(loaded->config, *methods_, {{kTenantId, "k"}}, [](const auto&, const auto&) {});

  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(second.status().message().find(server_->addresses().at(0)), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Shards, ServerTest, testing::Values(1, 2, 4), [](const auto& instance) {
  return "On" + std::to_string(instance.param);
});

}  // namespace
}  // namespace idv
