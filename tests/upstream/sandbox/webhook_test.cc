#include "upstream/sandbox/webhook.h"

#include <gtest/gtest.h>

#include "tests/upstream/sandbox/caller.h"

namespace idv::sandbox {
namespace {

class WebhookTest : public testing::Test {
 protected:
  // What the completion of a verification gives rise to.
  std::vector<Event> EventsOf(const std::string& external_id) {
    const Ref ref{kTenant, id_, StartOfTest()};
    id_ = store_.Create(kTenant, {.external_id = external_id, .tier = "basic"}, ref.now)->id;
    store_.AddDocument({kTenant, id_, ref.now}, "ghana_card", std::nullopt);
    store_.Complete({kTenant, id_, ref.now}, {});
    return store_.TakeChanges().events;
  }

  Store store_{CountingIds()};
  std::string id_;
};

TEST_F(WebhookTest, TellsOfADecision) {
  const auto events = EventsOf("test-reject-1");

  ASSERT_EQ(events.size(), 2U);
  const Webhook webhook = MakeWebhook(events[0], "1");
  EXPECT_EQ(webhook.id, "evt_1");
  EXPECT_EQ(webhook.type, "verification.completed");
  EXPECT_EQ(webhook.body,
            R"({"id":"evt_1","eventType":"verification.completed","resourceType":"verification",)"
            R"("resourceId":"id-1","tenantId":"550e8400-e29b-41d4-a716-446655440000",)"
            R"("timestamp":"2026-01-02T03:04:05.000000Z","data":{"verificationId":"id-1",)"
            R"("externalId":"test-reject-1","status":"rejected","decision":"auto_reject",)"
            R"("decisionReason":"The face does not match the document.","overallScore":38.6}})");
  EXPECT_EQ(MakeWebhook(events[1], "2").type, "verification.rejected");
}

TEST_F(WebhookTest, TellsOfAnAlert) {
  const auto events = EventsOf("test-fraud-1");

  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(Json::parse(MakeWebhook(events[2], "3").body), Json::parse(R"({
    "id":"evt_3","eventType":"fraud_alert.created","resourceType":"fraud_alert",
    "resourceId":"id-3","tenantId":"550e8400-e29b-41d4-a716-446655440000",
    "timestamp":"2026-01-02T03:04:05.000000Z",
    "data":{"alertType":"document_tampering","severity":"high"}})"));
}

TEST_F(WebhookTest, SaysOfAFinalDecisionWhichItWas) {
  const auto names = [this](const std::string& external_id) {
    std::string all;
    for (const Event& event : EventsOf(external_id)) all += MakeWebhook(event, "").type + " ";
    return all;
  };

  EXPECT_EQ(names("test-approve-1"), "verification.completed verification.verified ");
  EXPECT_EQ(names("test-review-1"), "verification.completed ");
  EXPECT_EQ(names("test-slow-1"), "");
  (void)store_.Find({kTenant, id_, StartOfTest() + std::chrono::seconds(10)});
  EXPECT_EQ(store_.TakeChanges().events.size(), 2U);
}

TEST_F(WebhookTest, TellsOfAReview) {
  EventsOf("test-review-1");

  store_.Decide({kTenant, id_, StartOfTest()}, {ReviewDecision::kReject, "rev-1", std::nullopt});

  const auto events = store_.TakeChanges().events;
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].type, EventType::kCompleted);
  EXPECT_EQ(events[1].type, EventType::kRejected);
  EXPECT_TRUE(store_.TakeChanges().events.empty());
}

// Computed with OpenSSL's command line: `printf 1767323045.{} | openssl dgst -sha256 -hmac s`.
TEST_F(WebhookTest, SignsByBothSchemes) {
  const Webhook webhook{"evt_1", "verification.completed", "{}"};

  EXPECT_EQ(
      WebhookHeaders(webhook, "s", StartOfTest()),
      (Headers{{"Content-Type", "application/json"},
               {"X-Webhook-ID", "evt_1"},
               {"X-Event-Type", "verification.completed"},
               {"X-Timestamp", "1767323045"},
               {"X-Signature", "2f8aca8f2dddb5889d857c7540a106302e936ea1f5291e72cc994ccccb32f812"},
               {"X-Signature-Algorithm", "sha256"},
               {"X-Kora-Signature",
                "143ca8d517ba1b181025d732b1cf275d90104fca57bb02a565542978aa18c4b6"}}));
}

}  // namespace
}  // namespace idv::sandbox
