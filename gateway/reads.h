#pragma once

#include <absl/status/status.h>
#include <absl/strings/string_view.h>

#include <memory>
#include <optional>
#include <string>

#include "gateway/method.h"
#include "gateway/observers.h"
#include "gateway/propagation.h"
#include "gateway/settings.h"
#include "gateway/shard.h"
#include "gateway/tenant.h"
#include "upstream/account.h"
#include "upstream/loop/cancellation.h"
#include "upstream/loop/task.h"
#include "upstream/route.h"

namespace idv {

// A call that only reads, for one tenant. It and what it points to may outlive the call: others may
// have joined it.
struct Reading {
  std::shared_ptr<const Settings> settings;
  const Tenant* tenant;  // of the settings
  std::shared_ptr<Account> account;
  const Method* method;
  std::string caller;
  Budget::Priority priority;
  TimePoint deadline;
  const Observers* observers;
  // Nothing: the upstream is told nothing of the call.
  std::optional<Propagation> propagation;
};

struct ReadAnswer {
  absl::Status status;
  // In protobuf's wire format; null when there is none.
  std::shared_ptr<const std::string> message;
  // HTTP requests that it took.
  int attempts = 0;
  // What `x-idv-cache` says: "hit", "stale", "miss" or "joined".
  absl::string_view cache = "miss";
  // Where the call's time went.
  Stretches stretches;
};

// Answers from what was answered before, from what another call is being answered, or from the
// upstream, in this order. Errors: those of RunErrand().
Task<ReadAnswer> Read(Shard& shard, Reading reading, RestRequest request, Cancellation& cancel);

}  // namespace idv
