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

namespace idv {

// The accounts of the configured tenants, by the upstream's ids of them, whose case does not
// matter: they outlive changes of the configuration. For one thread.
class Accounts {
 public:
  using ProblemReporter = std::function<void(const absl::Status&)>;

  // Reads what was kept of their answers. kInvalidArgument: the directory for it cannot be used.
  // `report_problem` is told of what cannot be read or written, on any thread.
  static absl::StatusOr<std::unique_ptr<Accounts>> Open(const Config& config,
                                                        ProblemReporter report_problem);

  // Those of the configuration's tenants, by their places, with its options from now on.
  std::vector<std::shared_ptr<Account>> For(const Config& config);

 private:
  Accounts() = default;

  absl::flat_hash_map<std::string, std::shared_ptr<Account>> accounts_;
  std::unique_ptr<CacheSnapshots> snapshots_;  // null: nothing is kept over a restart
};

}  // namespace idv
