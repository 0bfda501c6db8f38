#ifndef UPSTREAM_SANDBOX_PUBLISHER_H_
#define UPSTREAM_SANDBOX_PUBLISHER_H_

#include "upstream/sandbox/agenda.h"
#include "upstream/sandbox/clock.h"
#include "upstream/sandbox/courier.h"
#include "upstream/sandbox/journal.h"
#include "upstream/sandbox/store.h"
#include "upstream/sandbox/tenants.h"
#include "upstream/sandbox/uuid.h"

namespace idv::sandbox {

// Carries on what has changed in the store: records to the file that keeps them, events to their
// webhooks, and slow scoring to its end though nobody asks for it. Borrows its arguments; belongs
// to their thread.
class Publisher {
 public:
  struct Parts {
    const Tenants& tenants;
    Store& store;
    Journal& journal;
    Courier& courier;
    Agenda& agenda;
    Clock& clock;
  };

  Publisher(Parts parts, IdGenerator next_id) : parts_(parts), next_id_(std::move(next_id)) {}

  // After every request that may have changed something.
  void Publish();
  // For what was in processing when the store was kept.
  void Resume();
  // After the store was cleared: what it gave rise to ends too.
  void Reset();

 private:
  void Tell(const Event& event);
  void AwaitDecisions(const Changes& changes);

  const Parts parts_;
  const IdGenerator next_id_;
};

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_PUBLISHER_H_
