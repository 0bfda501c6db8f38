#ifndef UPSTREAM_SANDBOX_WEBHOOK_H_
#define UPSTREAM_SANDBOX_WEBHOOK_H_

#include <string>
#include <string_view>

#include "upstream/sandbox/http_message.h"
#include "upstream/sandbox/store.h"

namespace idv::sandbox {

// A message to the caller's own services, upstream-api.md section 10.
struct Webhook {
  std::string id;    // "evt_..."
  std::string type;  // "verification.completed"
  std::string body;  // JSON
};

// `id` without "evt_".
Webhook MakeWebhook(const Event& event, std::string_view id);

// Both schemes of signatures at once: the current one over time and body (X-Signature, X-Timestamp,
// X-Signature-Algorithm), and the older one over the body alone (X-Kora-Signature). With the
// headers that name the event and the type of the body.
Headers WebhookHeaders(const Webhook& webhook, std::string_view secret, Time now);

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_WEBHOOK_H_
