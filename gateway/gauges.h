#pragma once

#include <prometheus/metric_family.h>

#include <vector>

#include "gateway/standing.h"

namespace idv {

// The series of how the gateway stands. `by_tenant`: those of tenants are told apart; if not, there
// is one for all of them, with an empty label: the sum, or the worst.
std::vector<prometheus::MetricFamily> GaugesOf(const Standing& standing, bool by_tenant);

}  // namespace idv
