#pragma once

#include <absl/status/statusor.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "gateway/observers.h"
#include "gateway/propagation.h"
#include "gateway/settings.h"
#include "gateway/shard.h"
#include "gateway/tenant.h"
#include "upstream/account.h"
#include "upstream/loop/cancellation.h"
#include "upstream/loop/task.h"
#include "upstream/route.h"
#include "upstream/upstream.h"

namespace idv {

// What is asked of the upstream in a tenant's name, and where what comes of it is put. All borrowed
// until it is done.
struct Errand {
  const Settings& settings;
  const Tenant& tenant;
  Account& account;
  const Route& route;
  // Makes the request, for each attempt anew.
  std::function<absl::StatusOr<RestRequest>()> request;
  std::shared_ptr<Budget::Waiter> waiter;
  // May be put off while it runs.
  const std::atomic<TimePoint>& deadline;
  Cancellation& cancel;
  // Called before each attempt is sent.
  std::function<void()> on_send;
  // The answer's message.
  std::string& out;
  CallReport& report;
  const Observers& observers;
  // Null: the upstream is told nothing of the call.
  const Propagation* propagation = nullptr;
};

// Asks, each time in turn and with the tenant's best key, and again as long as that is safe, useful
// and within the deadline:
//  - with another key if the upstream took not the first one, once;
//  - where a repeat does nothing, after any failure that may pass;
//  - else when the request cannot have been executed: it never left, or was refused by the limit of
//    requests;
// so often as `retry` allows. Errors: those of Clearance::Await() and Upstream::Call();
// TENANT_CREDENTIAL_MISSING.
Task<absl::Status> RunErrand(Shard& shard, Errand errand);

// There is no key to ask with.
absl::Status KeyMissing();

}  // namespace idv
