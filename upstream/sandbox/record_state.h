#ifndef UPSTREAM_SANDBOX_RECORD_STATE_H_
#define UPSTREAM_SANDBOX_RECORD_STATE_H_

#include <optional>

#include "upstream/sandbox/json.h"
#include "upstream/sandbox/record.h"

namespace idv::sandbox {

// Records as JSON with all there is to them, unlike the views, so that they can be made again.
Json StateJson(const Verification& verification);
Json StateJson(const Alert& alert);

// Nothing for what the other two did not write.
std::optional<Verification> ReadVerification(const Json& state);
std::optional<Alert> ReadAlert(const Json& state);

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_RECORD_STATE_H_
