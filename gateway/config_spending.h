#pragma once

#include <string>

#include "gateway/config.h"
#include "gateway/config_checks.h"

namespace idv {

// What a configuration says of how the upstream's allowance is spent. Problems go to `checks`.

// Of the tenant at `path`.
Budget::Options BudgetOf(ConfigChecks& checks, const std::string& path,
                         const kora::idv::gateway::v1::Tenant& tenant,
                         const kora::idv::gateway::v1::Budget& budget);
// `path`: of the server's.
Config::Redis RedisOf(ConfigChecks& checks, const std::string& path,
                      const kora::idv::gateway::v1::Redis& redis);
RetryOptions RetryOf(ConfigChecks& checks, const kora::idv::gateway::v1::Retry& retry);
Breaker::Options BreakerOf(ConfigChecks& checks, const kora::idv::gateway::v1::Breaker& breaker);
Config::Cache CacheOf(ConfigChecks& checks, const kora::idv::gateway::v1::Cache& cache);

}  // namespace idv
