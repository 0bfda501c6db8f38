#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gateway/config.h"
#include "upstream/account.h"
#include "upstream/cache_snapshots.h"
#include "upstream/redis/redis_client.h"

namespace idv {

// The accounts of the configured tenants, by the upstream's ids of them, whose case does not
// matter: they outlive changes of the configuration. For one thread.
class Accounts {
 public:
  // Both are called on any thread.
  struct Reports {
    // What is kept for a restart cannot be read or written.
    std::function<void(const absl::Status&)> problem;
    // Redis is out of reach, so that only what this gateway spends is counted; OK: not any more.
    std::function<void(const absl::Status&)> redis;
  };

  // Reads what was kept of their answers. kInvalidArgument: the directory for it cannot be used.
  static absl::StatusOr<std::unique_ptr<Accounts>> Open(const Config& config, Reports reports);

  // Those of the configuration's tenants, by their places, with its options from now on.
  std::vector<std::shared_ptr<Account>> For(const Config& config);

  // Null: gateways do not count together. On any thread.
  const RedisClient* redis() const { return redis_.get(); }

 private:
  Accounts() = default;

  absl::flat_hash_map<std::string, std::shared_ptr<Account>> accounts_;
  std::unique_ptr<CacheSnapshots> snapshots_;  // null: nothing is kept over a restart
  std::unique_ptr<RedisClient> redis_;         // null: each gateway counts for itself
};

}  // namespace idv
