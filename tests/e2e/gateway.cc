#include "tests/e2e/gateway.h"

#include <gtest/gtest.h>

#include <csignal>

namespace idv::e2e {
namespace {

constexpr char kConfigFile[] = "gateway.yaml";
constexpr char kKeyVariable[] = "IDV_E2E_API_KEY";

std::map<std::string, std::string> WithKey(std::map<std::string, std::string> environment = {}) {
  environment.emplace(kKeyVariable, kApiKey);
  return environment;
}

}  // namespace

Json BasicConfig(const std::string& base_url) {
  return {{"listen", {{"grpc", {"127.0.0.1:0"}}}},
          {"upstream", {{"base_url", base_url}}},
          {"tenants",
           {{{"name", "acme"}, {"tenant_id", kTenantId}, {"api_key", {{"env", kKeyVariable}}}}}},
          {"callers", {{{"identity", "local"}, {"tenants", {"*"}}, {"methods", {"*"}}}}},
          {"drain", {{"settle", "0s"}}},
          {"shards", 1}};
}

Json OneRequestPerCall(Json config) {
  for (Json& tenant : config["tenants"]) tenant["plan"] = "unlimited";
  config["retry"]["max_attempts"] = 1;
  config["breaker"]["failures"] = 0;
  config["cache"] = {{"join_reads", false},
                     {"reference", {{"fresh", "0s"}, {"stale", "0s"}, {"stale_if_error", "0s"}}}};
  return config;
}

Gateway::Gateway(const Json& config, const std::map<std::string, std::string>& environment)
    : process_(IDV_GATEWAY_PATH, {"--config", dir_.Write(kConfigFile, config.dump(2))},
               WithKey(environment)) {
  constexpr std::string_view kListening = "listening on grpc ";
  const size_t listeners = config["listen"]["grpc"].size();
  constexpr std::string_view kAdmin = "listening on admin ";
  const size_t lines = listeners + config["listen"].count("admin");
  for (const std::string& line : process_.OutLines(lines)) {
    if (line.rfind(kAdmin, 0) == 0) {
      admin_address_ = line.substr(kAdmin.size());
      continue;
    }
    EXPECT_EQ(line.rfind(kListening, 0), 0U) << line;
    addresses_.push_back(line.substr(kListening.size()));
  }
  if (addresses_.size() == listeners) return;
  ADD_FAILURE() << "the gateway does not listen: " << process_.Err();
  addresses_.resize(listeners, "unix:/nowhere");
}

void Gateway::Reconfigure(const Json& config) const { dir_.Write(kConfigFile, config.dump(2)); }

bool Gateway::IsLogged(const std::string& text) const {
  return WaitUntil([&] { return process_.Err().find(text) != std::string::npos; });
}

std::string GatewayProgram() { return IDV_GATEWAY_PATH; }

std::optional<int> Gateway::Stop() {
  process_.Signal(SIGTERM);
  return process_.Wait();
}

std::unique_ptr<Process> RunGateway(const std::string& config_file, std::vector<std::string> flags,
                                    const std::map<std::string, std::string>& environment) {
  if (!config_file.empty()) flags.insert(flags.end(), {"--config", config_file});
  return std::make_unique<Process>(IDV_GATEWAY_PATH, std::move(flags), WithKey(environment));
}

std::shared_ptr<grpc::Channel> Connect(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  auto channel = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  // gRPC 1.51's client now and then takes a connection in progress for a failed one, and tries
  // again.
  const auto patience = std::chrono::system_clock::now() + std::chrono::seconds(10);
  if (!channel->WaitForConnected(patience)) ADD_FAILURE() << "no connection to " << address;
  return channel;
}

}  // namespace idv::e2e
