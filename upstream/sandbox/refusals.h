#ifndef UPSTREAM_SANDBOX_REFUSALS_H_
#define UPSTREAM_SANDBOX_REFUSALS_H_

#include <string_view>

#include "upstream/sandbox/http_message.h"
#include "upstream/sandbox/json.h"
#include "upstream/sandbox/store.h"

namespace idv::sandbox {

// The error answers, upstream-api.md section 4.

// {"code", "error"}: the documented envelope.
Response Refuse(int status, std::string_view code, std::string_view error);

// {"code", "error", "details": {"field", "constraint"}}, 400.
Response RefuseField(std::string_view field, std::string_view constraint);

// 405; `allowed` as in the Allow header: "GET, POST".
Response RefuseMethod(std::string_view allowed);

// {"error"} alone, 400: what the vendor's web framework says when it cannot bind a body.
Response RefuseBinding(std::string_view error);

// The daily cap of a subject: the code of the rate limit (upstream-api.md section 5), told from it
// by its details. No Retry-After: waiting for seconds does not help.
Response RefuseAttempt(int attempts_per_day);

// What the store refused. `what` names the kind of record in capitals, e.g. "VERIFICATION".
Response Refuse(Refusal refusal, std::string_view what);

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_REFUSALS_H_
