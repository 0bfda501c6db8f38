#pragma once

namespace idv {

// How many processors this process may use: its affinity, cut by the processor limit of its cgroup
// (version 2). At least 1.
int UsableProcessors();

}  // namespace idv
