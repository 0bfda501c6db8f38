#ifndef UPSTREAM_SANDBOX_SPOILING_H_
#define UPSTREAM_SANDBOX_SPOILING_H_

#include "upstream/sandbox/faults.h"
#include "upstream/sandbox/http_message.h"

namespace idv::sandbox {

// Does to an answer what faults demand that change its content: those of kHalfJson to kGzipBomb.
// The others leave it as it is.
void Spoil(const FaultPlan& plan, Response& response);

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_SPOILING_H_
