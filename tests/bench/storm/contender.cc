#include "tests/bench/storm/contender.h"

#include <absl/strings/substitute.h>
#include <unistd.h>

#include "tests/bench/sample.h"
#include "tests/bench/storm/sandbox_key.h"

namespace idv::bench::storm {
namespace {

constexpr char kKeyVariable[] = "IDV_BENCH_API_KEY";
constexpr char kTenantVariable[] = "IDV_BENCH_TENANT_ID";

// Whether the gateway knows the keys of the plan, retries, the breaker and the cache.
constexpr bool kHasTrafficKeys = true;

// All that keeps requests from the upstream.
constexpr char kEverythingOff[] = R"(
retry: {max_attempts: 1}
breaker: {failures: 0}
cache: {reference: {fresh: 0s, stale: 0s, stale_if_error: 0s}, join_reads: false}
)";

// `plan`: what the gateway takes the tenant's to be.
std::string GatewayYaml(const std::string& upstream, const std::string& plan,
                        const std::string& more) {
  constexpr char kYaml[] = R"(
listen: {grpc: ["127.0.0.1:0"]}
upstream: {base_url: "$0"}
tenants:
  - name: bench
    tenant_id: $1
    api_key: {env: $2}
$3callers:
  - {identity: local, tenants: ["*"], methods: ["*"]}
drain: {settle: 0s}
shards: 1
$4)";
  const std::string plan_line = kHasTrafficKeys ? "    plan: " + plan + "\n" : "";
  return absl::Substitute(kYaml, upstream + kApiPath, kTenantId, kKeyVariable, plan_line,
                          kHasTrafficKeys ? more : "");
}

}  // namespace

std::string WhyNot(const std::string& name, const Programs& programs) {
  if (name != kGo) return "";
  if (!programs.without_go.empty()) return programs.without_go;
  const bool is_built = access(programs.go_proxy.c_str(), X_OK) == 0;
  return is_built ? "" : "it is not built; tests/bench/go_proxy/build.sh does that";
}

std::unique_ptr<Running> Start(const std::string& name, const Programs& programs,
                               const std::string& upstream) {
  const std::map<std::string, std::string> environment = {{kKeyVariable, kSandboxKey},
                                                          {kTenantVariable, kTenantId}};
  auto running = std::make_unique<Running>();
  if (name == kGo) {
    running->listener = std::make_unique<Listener>(
        programs.go_proxy, std::vector<std::string>{"--upstream", upstream + kApiPath},
        environment);
    return running;
  }
  const std::string yaml = name == kGateway ? GatewayYaml(upstream, programs.plan, "")
                                            : GatewayYaml(upstream, "unlimited", kEverythingOff);
  const std::string file = running->directory.Write("gateway.yaml", yaml);
  running->listener = std::make_unique<Listener>(
      programs.gateway, std::vector<std::string>{"--config", file}, environment);
  return running;
}

}  // namespace idv::bench::storm
