#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "gateway/server.h"

namespace idv {

// What a gateway in this process needs beside its configuration: one tenant, whose key stays.
inline Server::Keys KeysOfTenant(const std::string& name, const std::string& tenant_id) {
  auto keys = std::make_shared<TenantKeys>(tenant_id, std::chrono::milliseconds(0));
  keys->Offer("key-1", Clock::now());
  return {.tenants = {{name, tenant_id, std::move(keys), nullptr, std::make_shared<TenantTally>()}},
          .tls = {},
          .tokens = {}};
}

inline Server::Reports NoReports() {
  return {.drift = [](const auto&, const auto&) {},
          .key = [](const auto&, bool) {},
          .accounts = {.problem = [](const auto&) {}, .redis = [](const auto&) {}}};
}

}  // namespace idv
