#pragma once

#include <string>
#include <vector>

#include "tests/e2e/sandbox.h"

namespace idv::e2e {

// Tenants of a sandbox that have many keys each, of which it is told to take one only.
class RotatingTenants {
 public:
  explicit RotatingTenants(std::vector<std::string> names, int keys_each = 200);

  const std::vector<std::string>& names() const { return names_; }
  // A UUID.
  std::string IdOf(const std::string& name) const;
  static std::string Key(const std::string& name, int number);

  const Sandbox& sandbox() const { return sandbox_; }
  // From now on, requests with any other key than this are refused.
  void Demand(const std::string& name, const std::string& key) const;
  void DemandAll(int number) const;

  // A configuration for them, to whose tenants an `api_key` is to be added, in the order of
  // names().
  Json Config() const;

 private:
  std::string Yaml(int keys_each) const;

  std::vector<std::string> names_;
  TempDir dir_;
  Sandbox sandbox_;
};

}  // namespace idv::e2e
