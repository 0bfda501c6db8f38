#include "tests/e2e/rotating_tenants.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "tests/e2e/gateway.h"

namespace idv::e2e {

RotatingTenants::RotatingTenants(std::vector<std::string> names, int keys_each)
    : names_(std::move(names)),
      sandbox_(
          {"--tenants", dir_.Write("tenants.yaml", Yaml(keys_each)), "--attempts-per-day", "0"}) {}

std::string RotatingTenants::IdOf(const std::string& name) const {
  const auto place = std::find(names_.begin(), names_.end(), name) - names_.begin();
  std::string digits = std::to_string(place + 1);
  return "550e8400-e29b-41d4-a716-" + digits.insert(0, 12 - digits.size(), '0');
}

std::string RotatingTenants::Key(const std::string& name, int number) {
  return "test_sk_" + name + "_" + std::to_string(number);
}

void RotatingTenants::Demand(const std::string& name, const std::string& key) const {
  sandbox_.AddFault({{"kind", "unauthorized"}, {"until_key", key}, {"tenant_id", IdOf(name)}});
}

void RotatingTenants::DemandAll(int number) const {
  sandbox_.ClearFaults();
  for (const std::string& name : names_) Demand(name, Key(name, number));
}

Json RotatingTenants::Config() const {
  Json config = {{"listen", {{"grpc", {"127.0.0.1:0"}}}},
                 {"upstream", {{"base_url", sandbox_.base_url()}}},
                 {"tenants", Json::array()},
                 {"callers", {{{"identity", "local"}, {"tenants", {"*"}}, {"methods", {"*"}}}}},
                 {"drain", {{"settle", "0s"}}},
                 {"shards", 2}};
  for (const std::string& name : names_) {
    config["tenants"].push_back({{"name", name}, {"tenant_id", IdOf(name)}});
  }
  return OneRequestPerCall(std::move(config));
}

std::string RotatingTenants::Yaml(int keys_each) const {
  Json tenants = Json::array();
  for (const std::string& name : names_) {
    Json keys = Json::array();
    for (int i = 0; i < keys_each; ++i) keys.push_back({{"key", Key(name, i)}, {"scopes", {"*"}}});
    tenants.push_back({{"tenant_id", IdOf(name)}, {"keys", keys}});
  }
  return Json({{"tenants", tenants}}).dump();
}

}  // namespace idv::e2e
