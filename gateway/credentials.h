#pragma once

#include <absl/status/statusor.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "auth/token_verifier.h"
#include "gateway/config.h"
#include "gateway/server_tls.h"
#include "upstream/upstream.h"

namespace idv {

// What the files and variables hold that a configuration names.
struct Credentials {
  // Reads all of it. kInvalidArgument: everything that cannot be read or used, one a line, each
  // with its path in the configuration.
  static absl::StatusOr<Credentials> Load(const Config& config);

  // Reads again what can be replaced while serving, and tells of each that is new, or that cannot
  // be used, in which case what was there is kept.
  void Reload(const std::function<void(const std::string& news)>& on_news,
              const std::function<void(const absl::Status& problem)>& on_problem) const;
  // Of what Reload() reads.
  std::vector<std::string> files() const;

  // The tenants, in the configuration's order, with their keys.
  std::vector<Sender> senders;
  std::shared_ptr<ServerTls> tls;         // null: the listeners have none
  std::shared_ptr<TokenVerifier> tokens;  // null: none is taken
};

}  // namespace idv
