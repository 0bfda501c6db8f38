#include "upstream/sandbox/webhook.h"

#include "upstream/sandbox/digest.h"
#include "upstream/sandbox/json.h"

namespace idv::sandbox {
namespace {

std::string_view NameOf(EventType type) {
  switch (type) {
    case EventType::kCompleted:
      return "verification.completed";
    case EventType::kVerified:
      return "verification.verified";
    case EventType::kRejected:
      return "verification.rejected";
    case EventType::kAlertCreated:
      return "fraud_alert.created";
  }
  return "";
}

Json DataOf(const Event& event) {
  if (event.alert != nullptr) {
    return {{"alertType", Alert::kType}, {"severity", Alert::kSeverity}};
  }
  const Verification& verification = *event.verification;
  return {{"verificationId", verification.id},
          {"externalId", verification.request.external_id},
          {"status", StatusName(verification.status)},
          {"decision", verification.decision},
          {"decisionReason", verification.decision_reason},
          {"overallScore", verification.outcome->scores.overall}};
}

}  // namespace

Webhook MakeWebhook(const Event& event, std::string_view id) {
  const bool is_alert = event.alert != nullptr;
  Webhook webhook{
      .id = "evt_" + std::string(id), .type = std::string(NameOf(event.type)), .body = {}};
  webhook.body = Dump({{"id", webhook.id},
                       {"eventType", webhook.type},
                       {"resourceType", is_alert ? "fraud_alert" : "verification"},
                       {"resourceId", is_alert ? event.alert->id : event.verification->id},
                       {"tenantId", event.verification->tenant_id},
                       {"timestamp", FormatTime(event.at)},
                       {"data", DataOf(event)}});
  return webhook;
}

Headers WebhookHeaders(const Webhook& webhook, std::string_view secret, Time now) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
  const std::string timestamp = std::to_string(seconds);
  return {{"Content-Type", "application/json"},
          {"X-Webhook-ID", webhook.id},
          {"X-Event-Type", webhook.type},
          {"X-Timestamp", timestamp},
          {"X-Signature", HmacSha256(secret, timestamp + "." + webhook.body)},
          {"X-Signature-Algorithm", "sha256"},
          {"X-Kora-Signature", HmacSha256(secret, webhook.body)}};
}

}  // namespace idv::sandbox
