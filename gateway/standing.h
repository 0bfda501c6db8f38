#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gateway/admission.h"
#include "gateway/pulse.h"
#include "gateway/readiness.h"
#include "metrics/tenant_tally.h"
#include "upstream/account.h"
#include "upstream/answer_cache.h"
#include "upstream/breaker.h"
#include "upstream/budget.h"

namespace idv {

// How a running gateway stands at the moment: what its pages show besides what was counted.
struct Standing {
  struct OfTenant {
    std::string name;
    bool has_key = false;
    // The upstream refuses all of its keys, as far as was seen.
    bool is_refused = false;
    uint64_t key_failures = 0;  // reads of its key that failed
    std::shared_ptr<const TenantTally> tally;
    bool is_unlimited = false;
    Budget::Summary budget;
    std::array<Breaker::State, Account::kKinds> breakers{};  // by Account::Kind
    AnswerCache::Summary reference;
    AnswerCache::Summary verifications;
  };

  Readiness readiness;
  bool is_redis_unreachable = false;
  bool is_draining = false;
  Admission::Usage usage;
  int connections = 0;
  int frame_streams = 0;
  std::vector<OfTenant> tenants;
  std::vector<Pulse::Beat> shards;
};

}  // namespace idv
