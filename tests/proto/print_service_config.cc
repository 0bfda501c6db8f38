// Prints what proto/kora/idv/v1/service_config.json is to be, from the annotations of the RPCs.

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "gateway/services.h"
#include "kora/idv/gateway/v1/annotations.pb.h"

namespace {

using google::protobuf::MethodDescriptor;
using kora::idv::gateway::v1::MethodOptions;
using nlohmann::ordered_json;

// Everything of a methodConfig but the methods that it is for.
ordered_json PolicyOf(const MethodDescriptor& method) {
  const MethodOptions& options = method.options().GetExtension(kora::idv::gateway::v1::method);
  ordered_json policy{{"timeout", std::to_string(options.timeout().seconds()) + "s"}};
  // After a connection is lost nobody knows whether the call has acted: only reads are repeated.
  // What the upstream fails at, the gateway has repeated already; this is for when a gateway goes.
  if (options.repeat_safety() == kora::idv::gateway::v1::REPEAT_SAFETY_SAFE) {
    policy["retryPolicy"] = {{"maxAttempts", 3},
                             {"initialBackoff", "0.1s"},
                             {"maxBackoff", "1s"},
                             {"backoffMultiplier", 2},
                             {"retryableStatusCodes", {"UNAVAILABLE"}}};
  }
  return policy;
}

// Methods with the same policy share a methodConfig.
ordered_json MethodConfigs() {
  auto configs = ordered_json::array();
  for (const auto* service : idv::ServedServices()) {
    for (int m = 0; m < service->method_count(); ++m) {
      const MethodDescriptor& method = *service->method(m);
      const ordered_json name{{"service", service->full_name()}, {"method", method.name()}};
      ordered_json config{{"name", ordered_json::array({name})}};
      config.update(PolicyOf(method));
      const auto same = [&](const ordered_json& other) {
        ordered_json renamed = other;
        renamed["name"] = config["name"];
        return renamed == config;
      };
      const auto found = std::find_if(configs.begin(), configs.end(), same);
      if (found != configs.end()) {
        (*found)["name"].push_back(name);
      } else {
        configs.push_back(config);
      }
    }
  }
  return configs;
}

}  // namespace

int main() {
  const ordered_json config{
      // Over all addresses of a name, but for gateways that shut down or cannot serve.
      {"loadBalancingConfig", ordered_json::array({{{"round_robin", ordered_json::object()}}})},
      {"healthCheckConfig", {{"serviceName", ""}}},
      {"methodConfig", MethodConfigs()},
      // No repeats while more than a tenth of the calls need one.
      {"retryThrottling", {{"maxTokens", 10}, {"tokenRatio", 0.1}}}};
  std::cout << config.dump(2) << '\n';
}
