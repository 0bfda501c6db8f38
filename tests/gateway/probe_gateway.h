#pragma once

#include <gmock/gmock.h>
#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "gateway/server.h"
#include "tests/gateway/server_parts.h"
#include "tests/upstream/probe.grpc.pb.h"
#include "tests/upstream/stub_server.h"

namespace idv {

// A whole gateway in this process that serves the test-only service, which is nothing but a proto,
// in front of a scripted upstream. The parameter is the number of shards.
class ProbeGatewayTest : public testing::TestWithParam<int> {
 protected:
  static constexpr const char* kTenantId = "550e8400-e29b-41d4-a716-446655440000";

  // A call under way, on a thread of its own.
  class PendingFind {
   public:
    explicit PendingFind(test::ProbeService::Stub& stub)
        : status_(std::async(std::launch::async, [this, &stub] {
            test::Found found;
            return stub.Find(&context_, {}, &found);
          })) {}
    void Cancel() { context_.TryCancel(); }
    grpc::Status Finish() { return status_.get(); }
    const grpc::ClientContext& context() const { return context_; }

   private:
    grpc::ClientContext context_;
    std::future<grpc::Status> status_;
  };

  static StubServer::Handler Hanging() {
    return [](const auto&) { return StubServer::Reply{.bytes = "", .close = false, .hang = true}; };
  }

  // The first `count` requests hang, later ones are answered.
  static StubServer::Handler HangingAtFirst(int count) {
    return [left = std::make_shared<std::atomic<int>>(count)](const auto&) {
      if ((*left)-- > 0) return StubServer::Reply{.bytes = "", .close = false, .hang = true};
      return StubServer::Http(200, R"({"total":3})");
    };
  }

  // Calls for the same share a request, and what failed is repeated, as by default; otherwise every
  // call is one request.
  void SpendWithCare(const std::string& plan = "") {
    policy_.clear();
    plan_ = plan.empty() ? "" : ", plan: " + plan;
  }

  void Start(StubServer::Handler handler, const std::string& more_config = "",
             const std::string& allowed_methods = "['*']") {
    upstream_.emplace(std::move(handler));
    methods_.emplace(*Methods::Compile(
        {test::StoreRequest::descriptor()->file()->FindServiceByName("ProbeService")}));
    const auto loaded =
        LoadConfig("listen: {grpc: ['127.0.0.1:0']}\nupstream: {base_url: '" + upstream_->url() +
                       "/base'}\ntenants: [{name: acme, tenant_id: " + kTenantId +
                       ", api_key: {env: X}" + plan_ +
                       "}]\ncallers: [{identity: local, tenants: ['*'], "
                       "methods: " +
                       allowed_methods + "}]\nshards: " + std::to_string(GetParam()) + "\n" +
                       policy_ + more_config,
                   methods_->Names(), 2);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    auto server =
        Server::Start(loaded->config, *methods_, KeysOfTenant("acme", kTenantId), NoReports());
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    channel_ = Connect();
    ASSERT_TRUE(IsConnected(*channel_));
    stub_ = test::ProbeService::NewStub(channel_);
  }

  // A connection of its own.
  std::shared_ptr<grpc::Channel> Connect() const {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel(server_->addresses().at(0), grpc::InsecureChannelCredentials(),
                                     arguments);
  }

  static bool IsConnected(grpc::Channel& channel,
                          std::chrono::milliseconds patience = std::chrono::seconds(10)) {
    return channel.WaitForConnected(std::chrono::system_clock::now() + patience);
  }

  void AwaitUpstreamRequests(size_t count) const {
    while (upstream_->requests().size() < count) std::this_thread::yield();
  }

  grpc::Status Find() const {
    grpc::ClientContext context;
    test::Found found;
    return stub_->Find(&context, {}, &found);
  }

  static test::StoreRequest Complete() {
    test::StoreRequest request;
    request.set_probe_id("p/1");
    request.set_part(test::COLOUR_RED);
    request.set_signed_by("me");
    request.set_text("t");
    request.set_picture(std::string("\x00\x01\x02", 3));
    return request;
  }

  static google::rpc::Status DetailsOf(const grpc::Status& status) {
    google::rpc::Status details;
    details.ParseFromString(status.error_details());
    return details;
  }

  static google::rpc::ErrorInfo InfoOf(const grpc::Status& status) {
    const google::rpc::Status details = DetailsOf(status);
    google::rpc::ErrorInfo info;
    if (details.details_size() > 0) details.details(0).UnpackTo(&info);
    return info;
  }

  static std::string ReasonOf(const grpc::Status& status) { return InfoOf(status).reason(); }

  // Of the call's trailers; empty if it is not there.
  static std::string TrailerOf(const grpc::ClientContext& context, const std::string& name) {
    const auto& trailers = context.GetServerTrailingMetadata();
    const auto trailer = trailers.find(name);
    return trailer == trailers.end() ? ""
                                     : std::string(trailer->second.data(), trailer->second.size());
  }

  std::string plan_ = ", plan: unlimited";
  std::string policy_ =
      "cache: {join_reads: false}\nretry: {max_attempts: 1}\nbreaker: {failures: 0}\n";
  std::optional<StubServer> upstream_;
  std::optional<Methods> methods_;
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<test::ProbeService::Stub> stub_;
};

inline std::string ShardsName(const testing::TestParamInfo<int>& instance) {
  return "On" + std::to_string(instance.param);
}

}  // namespace idv
