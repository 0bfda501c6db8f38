#pragma once

#include "gateway/live_config.h"
#include "gateway/server.h"
#include "gateway/surroundings.h"
#include "metrics/admin_server.h"

namespace idv {

// The HTTP pages of a running gateway:
//   /livez    200, or 503 with the shards that are stuck: a restart would mend it
//   /readyz   200 or 503, whether it should be sent calls, and why not, a reason a line
//   /metrics  all series, in Prometheus' text format
//   /statusz  how it stands, for people; ?format=json for programs
// Borrows all of them.
AdminServer::Pages PagesOf(Server& server, const LiveConfig& live, const Surroundings& around);

}  // namespace idv
