#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "auth/secret_store.h"
#include "metrics/tenant_tally.h"
#include "upstream/loop/cancellation.h"
#include "upstream/loop/loop.h"
#include "upstream/loop/task.h"
#include "upstream/tenant_keys.h"
#include "upstream/upstream.h"

namespace idv {

// A customer of the upstream, and its keys, which may be replaced while calls are served. Copies
// share them.
struct Tenant {
  std::string name;
  // The upstream's id of it.
  std::string tenant_id;
  std::shared_ptr<TenantKeys> keys;
  // Where they come from; null: from nowhere any more.
  std::shared_ptr<SecretStore::Followed> secret;
  // What is counted for it.
  std::shared_ptr<TenantTally> tally;
};

// In whose name to send again what the upstream has refused to take from `refused`; nothing if
// there is no other key. Unless there is a newer one already, the tenant's secret is read again,
// which may take until `deadline` or a few seconds; the key before comes last. When all keys were
// refused already, nobody waits for a secret that was read just now. On the loop's thread. Borrows
// all of them.
Task<std::optional<Sender>> KeyInsteadOf(const Sender& refused, const Tenant& tenant, Loop& loop,
                                         TimePoint deadline, Cancellation& cancel);

// Is told when the upstream has begun to refuse all keys of a tenant, or takes one again.
using KeyReporter = std::function<void(const Tenant& tenant, bool is_refused)>;

// Tells of what the upstream's last answer to a call means for the tenant's keys, if that is news.
void ReportKey(const Tenant& tenant, const CallReport& call, const KeyReporter& report_key);

}  // namespace idv
