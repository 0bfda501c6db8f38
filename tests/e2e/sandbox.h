#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/e2e/process.h"

namespace idv::e2e {

using Json = nlohmann::json;

inline constexpr char kTenantId[] = "550e8400-e29b-41d4-a716-446655440000";
inline constexpr char kApiKey[] = "test_sk_sandbox";

// A running idv-sandbox, and its control endpoints.
class Sandbox {
 public:
  // `port`: to take the place of another one; 0 for a free one.
  explicit Sandbox(std::vector<std::string> flags = {}, int port = 0,
                   const std::string& host = "127.0.0.1");

  // Of the host; the API's base is below it.
  const std::string& root_url() const { return root_url_; }
  std::string base_url() const { return root_url_ + "/api/v1/idv"; }
  int port() const;
  Process& process() { return process_; }

  // For example {{"kind", "hang"}, {"path_prefix", "/alerts"}}.
  void AddFault(const Json& fault) const;
  void ClearFaults() const;

  // Moves its clock ahead.
  void AdvanceClock(std::chrono::seconds by) const;

  // What it has received, oldest first; the path is whole or below the base.
  Json Requests(const std::string& path_prefix = "") const;
  void ForgetRequests() const;
  // The only request below the prefix, once its outcome is this one; a failure if it does not come
  // to that.
  Json AwaitRequest(const std::string& path_prefix, const std::string& outcome = "answered") const;

 private:
  Json Control(const std::string& method, const std::string& path, const std::string& body) const;

  Process process_;
  std::string root_url_;
};

// As lower-case hexadecimal digits.
std::string Sha256(const std::string& bytes);

}  // namespace idv::e2e
