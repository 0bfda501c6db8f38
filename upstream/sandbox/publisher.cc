#include "upstream/sandbox/publisher.h"

#include <string>

namespace idv::sandbox {

void Publisher::Publish() {
  const Changes changes = parts_.store.TakeChanges();
  parts_.journal.Write(changes);
  for (const Event& event : changes.events) Tell(event);
  AwaitDecisions(changes);
}

void Publisher::Resume() { AwaitDecisions(parts_.store.All()); }

void Publisher::Reset() {
  parts_.agenda.Clear();
  parts_.courier.Clear();
  parts_.journal.Clear();
}

void Publisher::Tell(const Event& event) {
  const auto& callback_url = event.verification->request.callback_url;
  const WebhookSettings& settings = parts_.tenants.WebhookOf(event.verification->tenant_id);
  if (settings.url.empty() && !callback_url) return;
  const Webhook webhook = MakeWebhook(event, next_id_());
  if (!settings.url.empty()) parts_.courier.Send(webhook, settings.url, settings.secret);
  if (callback_url && *callback_url != settings.url) {
    parts_.courier.Send(webhook, *callback_url, settings.secret);
  }
}

void Publisher::AwaitDecisions(const Changes& changes) {
  for (const Verification* const verification : changes.verifications) {
    if (verification->status != Status::kProcessing) continue;
    const auto look = [this, tenant_id = verification->tenant_id, id = verification->id] {
      (void)parts_.store.Find({tenant_id, id, parts_.clock.Now()});
      Publish();
    };
    parts_.agenda.At(DecidedAt(*verification), look);
  }
}

}  // namespace idv::sandbox
