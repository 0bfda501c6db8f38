#pragma once

#include "gateway/tenant.h"
#include "metrics/call_series.h"

namespace idv {

// Who is told of what calls find out, on their shards' threads. All borrowed.
struct Observers {
  // Of the tenants' keys.
  const KeyReporter& report_key;
  CallSeries& series;
};

}  // namespace idv
