#pragma once

#include <absl/status/statusor.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "auth/secret_store.h"
#include "auth/token_verifier.h"
#include "gateway/config.h"
#include "gateway/server.h"
#include "gateway/server_tls.h"
#include "gateway/tenant.h"

namespace idv {

// What the files, variables and stores hold that a configuration names. On one thread.
class Credentials {
 public:
  // Told of what is new and what cannot be used, on any thread.
  struct Reports {
    // A secret or certificate was replaced: `what` says which by its path in the configuration.
    std::function<void(const std::string& what)> on_news;
    // It cannot be used; what was there is kept.
    std::function<void(const absl::Status& problem)> on_problem;
  };

  // Reads all of it. kInvalidArgument: everything that cannot be read or used, one a line, each
  // with its path in the configuration. Tenants without a usable key are no error while another one
  // has one or a store out of reach may have one, nor are key sets of tokens that cannot be
  // fetched: those are told to on_problem, and tried again. `strict` makes them errors.
  static absl::StatusOr<std::unique_ptr<Credentials>> Load(const Config& config, Reports reports,
                                                           bool strict = false);

  // Serves these tenants from now on. Those that were there keep their keys, and, if they come from
  // where they did, need not be read; others are, and what cannot be is told to on_problem.
  void ReplaceTenants(const Config& config);
  // Reads again what can be replaced while serving.
  void Reload();
  // Of what Reload() reads.
  std::vector<std::string> files() const;

  Server::Keys keys() const { return {tenants_, tls_, tokens_}; }

 private:
  Credentials(const Config& config, Reports reports);
  void LoadTls(const Config& config, std::vector<std::string>& problems);
  void LoadTokens(const Config& config, std::vector<std::string>& missing,
                  std::vector<std::string>& problems);
  std::vector<std::string> LoadTenants(const Config& config, bool strict,
                                       std::vector<std::string>& problems);
  Tenant Follow(const Config& config, size_t place, const std::vector<Tenant>& before);

  const Reports reports_;
  std::atomic<bool> is_loaded_ = false;
  SecretStore secrets_;
  std::vector<Tenant> tenants_;
  std::shared_ptr<ServerTls> tls_;
  std::shared_ptr<TokenVerifier> tokens_;
};

}  // namespace idv
