#pragma once

#include <memory>
#include <vector>

#include "auth/policy.h"
#include "auth/token_verifier.h"
#include "gateway/admission.h"
#include "gateway/caller.h"
#include "gateway/config.h"
#include "gateway/frame_stream.h"
#include "gateway/tenant.h"
#include "upstream/account.h"

namespace idv {

// What calls are served by, and what may be replaced while they are: a call keeps to what there was
// when it began.
struct Settings {
  Policy policy;
  CallerRules callers;
  // Null: none is taken.
  std::shared_ptr<TokenVerifier> tokens;
  // By the policy's places of them.
  std::vector<Tenant> tenants;
  // The same.
  std::vector<std::shared_ptr<Account>> accounts;
  RetryOptions retry;
  Config::Cache cache;
  Config::Limits limits;
  FrameStream::Options frames;
  Admission::Caps caps;
  // Whether the upstream is told of traces and request ids.
  bool propagates = false;
};

}  // namespace idv
