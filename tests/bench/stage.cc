#include "tests/bench/stage.h"

#include <curl/curl.h>

#include <optional>
#include <utility>

#include "grpc/health/v1/health.grpc.pb.h"
#include "tests/bench/meter.h"
#include "tests/bench/sample.h"

namespace idv::bench {
namespace {

constexpr char kKeyVariable[] = "IDV_BENCH_API_KEY";
constexpr auto kStartLimit = std::chrono::seconds(10);
constexpr auto kRunLimit = std::chrono::minutes(10);

std::string Config(const std::string& upstream, const nlohmann::json& limits) {
  return nlohmann::json(
             {{"listen", {{"grpc", {"127.0.0.1:0"}}, {"reflection", true}}},
              {"upstream", {{"base_url", "http://" + upstream + kApiPath}}},
              {"tenants",
               {{{"name", "bench"},
                 {"tenant_id", kTenantId},
                 {"api_key", {{"env", kKeyVariable}}}}}},
              {"callers", {{{"identity", "local"}, {"tenants", {"*"}}, {"methods", {"*"}}}}},
              {"limits", limits},
              {"shards", 1}})
      .dump();
}

std::shared_ptr<grpc::Channel> Connect(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

void CheckHealth(const std::shared_ptr<grpc::Channel>& channel) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kStartLimit);
  context.set_wait_for_ready(true);
  grpc::health::v1::HealthCheckResponse response;
  const grpc::Status status = grpc::health::v1::Health::NewStub(channel)->Check(
      &context, grpc::health::v1::HealthCheckRequest(), &response);
  if (!status.ok()) throw Broken("the gateway's health check failed: " + status.error_message());
  if (response.status() != grpc::health::v1::HealthCheckResponse::SERVING) {
    throw Broken("the gateway says that it is not serving");
  }
}

// With the key, and so that its memory can be measured.
std::map<std::string, std::string> Environment() {
  std::map<std::string, std::string> environment = e2e::Transparent();
  environment.emplace(kKeyVariable, kApiKey);
  return environment;
}

}  // namespace

Listener::Listener(const std::string& program, const std::vector<std::string>& arguments,
                   const std::map<std::string, std::string>& environment)
    : process_(program, arguments, environment) {
  const std::vector<std::string> lines = process_.OutLines(1);
  if (lines.empty()) throw Broken(program + " does not listen: " + process_.Err());
  address_ = lines[0].substr(lines[0].rfind(' ') + 1);
}

ServingGateway::ServingGateway(const std::string& program, const std::string& upstream,
                               const nlohmann::json& limits)
    : start_(std::chrono::steady_clock::now()),
      listener_(program, {"--config", directory_.Write("gateway.yaml", Config(upstream, limits))},
                Environment()),
      channel_(Connect(listener_.address())) {
  CheckHealth(channel_);
  ready_after_ = std::chrono::steady_clock::now() - start_;
}

double ResidentMb(pid_t pid) { return static_cast<double>(MemoryOf(pid, "VmRSS")) / (1 << 20); }

uint64_t Ask(const Listener& upstream, const std::string& path) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy(curl_easy_init(),
                                                                 &curl_easy_cleanup);
  std::string body;
  curl_easy_setopt(easy.get(), CURLOPT_URL, ("http://" + upstream.address() + path).c_str());
  curl_easy_setopt(easy.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &body);
  curl_easy_setopt(
      easy.get(), CURLOPT_WRITEFUNCTION, +[](char* data, size_t size, size_t count, void* text) {
        static_cast<std::string*>(text)->append(data, size * count);
        return size * count;
      });
  if (curl_easy_perform(easy.get()) != CURLE_OK) throw Broken("the upstream does not answer");
  return std::stoull(body);
}

nlohmann::json RunClient(const std::string& program, const std::vector<std::string>& arguments) {
  e2e::Process process(program, arguments);
  const std::optional<int> code = process.Wait(kRunLimit);
  nlohmann::json report = nlohmann::json::parse(process.Out(), nullptr, /*throw=*/false);
  if (code != 0 || !report.is_object()) throw Broken(program + ": " + process.Err());
  return report;
}

}  // namespace idv::bench
