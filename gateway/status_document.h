#pragma once

#include <nlohmann/json.hpp>

#include "gateway/live_config.h"
#include "gateway/server.h"
#include "gateway/standing.h"
#include "gateway/surroundings.h"

namespace idv {

// What /statusz shows, as the JSON of ?format=json: README.md describes it. Holds no personal data
// and no secret.
nlohmann::ordered_json StatusDocument(const Surroundings& around, const Standing& standing,
                                      const CallSeries& series, const DriftCounter& drift,
                                      const LiveConfig::Summary& config);

}  // namespace idv
