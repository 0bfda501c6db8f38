// What the real program sends to webhooks. Another one of it receives them, and says what it got.

#include "tests/upstream/sandbox/certificate.h"
#include "tests/upstream/sandbox/program.h"
#include "upstream/sandbox/digest.h"

namespace idv::sandbox {
namespace {

using testing::HasSubstr;

constexpr const char* kTakesAll = R"({"kind": "status", "status": 200, "path_prefix": "/hooks"})";
constexpr const char* kRefusesAll = R"({"kind": "status", "status": 503, "path_prefix": "/hooks"})";

class WebhooksTest : public ProgramTest {
 protected:
  // `answer`: a fault that says what receivers say.
  void StartReceiver(const std::string& answer, std::vector<std::string> flags = {}) {
    flags.insert(flags.end(), {"--listen", "127.0.0.1:0", "--fault", answer});
    receiver_ = std::make_unique<Process>(std::move(flags));
    const std::string line = receiver_->OutLine();
    receiver_port_ = line.substr(line.rfind(':') + 1);
    hook_ = "http://127.0.0.1:" + receiver_port_ + "/hooks";
  }

  // The one below the prefix of the receiver's log that is of this event, once there are so many.
  json Received(const std::string& path, const std::string& event_type) {
    json found;
    const auto look = [&] {
      found = {};
      const json log = Log(path);
      for (const json& request : log) {
        if (request["outcome"] == "answered" && request["headers"]["x-event-type"] == event_type)
          found = request;
      }
      return !found.is_null();
    };
    EXPECT_TRUE(Await(look)) << "no " << event_type << " at " << path;
    return found;
  }

  json Log(const std::string& path = "") {
    const std::string target = "/__sandbox/requests?path_prefix=" + path;
    return Client(receiver_port_).Call("GET", target).body["requests"];
  }

  // What was sent, or is to be, as the sender tells it.
  json Sent() { return Client(port_).Call("GET", "/__sandbox/webhooks").body["webhooks"]; }

  // The only webhook of that type, once it has so many attempts and that state.
  json AwaitSent(const std::string& event_type, std::size_t attempts, const std::string& state) {
    json found;
    const auto look = [&] {
      for (const json& webhook : Sent()) {
        if (webhook["event_type"] == event_type) found = webhook;
      }
      return !found.is_null() && found["attempts"].size() == attempts && found["state"] == state;
    };
    EXPECT_TRUE(Await(look)) << found;
    return found;
  }

  void AdvanceClock(const std::string& by) {
    Client(port_).Call("POST", "/__sandbox/clock", R"({"advance":")" + by + R"("})");
  }

  void RunThrough(const std::string& external_id, const std::string& callback_url = "") {
    Client client(port_);
    json request = {{"externalId", external_id}};
    if (!callback_url.empty()) request["callbackUrl"] = callback_url;
    const json created = client.Call("POST", "/api/v1/verifications", request.dump()).body;
    const std::string at = "/api/v1/verifications/" + std::string(created["id"]);
    client.Call("POST", at + "/document", R"({"documentType":"ghana_card","imageBase64":"AAAA"})");
    EXPECT_EQ(client.Call("POST", at + "/complete").status, 200);
  }

  std::unique_ptr<Process> receiver_;
  std::string receiver_port_;
  std::string hook_;
};

TEST_F(WebhooksTest, GoToTheUrlOfTheTenantAndOfTheVerification) {
  StartReceiver(kTakesAll);
  Start({"--webhook-url", hook_ + "/tenant", "--webhook-secret", "s3cret"});

  RunThrough("test-approve-1", hook_ + "/verification");

  const json of_tenant = Received("/hooks/tenant", "verification.completed");
  const json of_verification = Received("/hooks/verification", "verification.completed");
  Received("/hooks/tenant", "verification.verified");
  Received("/hooks/verification", "verification.verified");
  EXPECT_EQ(of_tenant["method"], "POST");
  EXPECT_EQ(of_tenant["headers"]["content-type"], "application/json");
  EXPECT_EQ(of_tenant["headers"]["x-webhook-id"], of_verification["headers"]["x-webhook-id"]);
  EXPECT_EQ(of_tenant["body_sha256"], of_verification["body_sha256"]);
  EXPECT_EQ(Sent().size(), 4U);
}

TEST_F(WebhooksTest, AreSignedByBothSchemesAtTheMachinesTime) {
  StartReceiver(kTakesAll);
  Start({"--webhook-url", hook_, "--webhook-secret", "s3cret"});
  AdvanceClock("24h");

  RunThrough("test-approve-1");

  const json headers = Received("/hooks", "verification.completed")["headers"];
  const std::string timestamp = headers["x-timestamp"];
  // The log has no body, but the sender tells it, in the order in which it was sent.
  Client client(port_);
  client.Start("GET", "/__sandbox/webhooks");
  const auto sent = nlohmann::ordered_json::parse(client.FinishText().body());
  const std::string body = sent["webhooks"][0]["body"].dump();
  EXPECT_EQ(headers["x-signature"], HmacSha256("s3cret", timestamp + "." + body));
  EXPECT_EQ(headers["x-signature-algorithm"], "sha256");
  EXPECT_EQ(headers["x-kora-signature"], HmacSha256("s3cret", body));
  EXPECT_NEAR(static_cast<double>(std::stoll(timestamp)), static_cast<double>(NowMillis()) / 1000,
              60);
}

TEST_F(WebhooksTest, TellOfAlerts) {
  StartReceiver(kTakesAll);
  Start();

  RunThrough("test-fraud-1", hook_);

  Received("/hooks", "verification.rejected");
  Received("/hooks", "fraud_alert.created");
}

TEST_F(WebhooksTest, ComeAtTheEndOfSlowScoringThoughNobodyAsks) {
  StartReceiver(kTakesAll);
  Start();
  RunThrough("test-slow-1", hook_);
  EXPECT_TRUE(Sent().empty());

  AdvanceClock("10s");

  Received("/hooks", "verification.verified");
}

TEST_F(WebhooksTest, AreSentAgainUntilTheyAreTaken) {
  StartReceiver(kRefusesAll);
  Start();
  RunThrough("test-review-1", hook_);
  AwaitSent("verification.completed", 1, "pending");

  AdvanceClock("1s");
  const json twice = AwaitSent("verification.completed", 2, "pending");
  EXPECT_EQ(twice["attempts"][1]["status"], 503);
  Client(receiver_port_).Call("DELETE", "/__sandbox/faults");
  Client(receiver_port_).Call("POST", "/__sandbox/faults", kTakesAll);
  AdvanceClock("2s");

  const json taken = AwaitSent("verification.completed", 3, "delivered");
  EXPECT_EQ(taken["attempts"][2]["status"], 200);
}

TEST_F(WebhooksTest, AreGivenUpAfterSixAttemptsAndSentOnceMoreOnDemand) {
  StartReceiver(kRefusesAll);
  Start();
  RunThrough("test-review-1", hook_);
  for (std::size_t attempt = 1; attempt < 6; ++attempt) {
    AwaitSent("verification.completed", attempt, "pending");
    AdvanceClock(std::to_string(1 << (attempt - 1)) + "s");
  }
  const json failed = AwaitSent("verification.completed", 6, "failed");
  AdvanceClock("1h");
  Client(receiver_port_).Call("DELETE", "/__sandbox/faults");
  Client(receiver_port_).Call("POST", "/__sandbox/faults", kTakesAll);

  const std::string path = "/__sandbox/webhooks/" + std::string(failed["id"]) + "/redeliver";
  const Reply reply = Client(port_).Call("POST", path);

  EXPECT_EQ(reply.body, json({{"urls", 1}}));
  AwaitSent("verification.completed", 7, "delivered");
  EXPECT_EQ(Client(port_).Call("GET", path).status, 405);
  EXPECT_EQ(Client(port_).Call("POST", "/__sandbox/webhooks/evt_x/redeliver").status, 404);
}

TEST_F(WebhooksTest, SayWhyTheyDidNotArrive) {
  StartReceiver(kTakesAll);
  receiver_.reset();
  Start();

  RunThrough("test-review-1", hook_);

  EXPECT_EQ(AwaitSent("verification.completed", 1, "pending")["attempts"][0]["error"],
            "Connection refused");
}

TEST_F(WebhooksTest, AreForgottenByAReset) {
  StartReceiver(kRefusesAll);
  Start();
  RunThrough("test-slow-1", hook_);
  RunThrough("test-review-1", hook_);
  AwaitSent("verification.completed", 1, "pending");

  EXPECT_EQ(Client(port_).Call("POST", "/__sandbox/reset").status, 200);
  Client(receiver_port_).Call("DELETE", "/__sandbox/requests");
  AdvanceClock("1h");
  RunThrough("test-review-2", hook_);

  AwaitSent("verification.completed", 1, "pending");
  EXPECT_EQ(Sent().size(), 1U);
  EXPECT_EQ(Log().size(), 1U);
}

TEST_F(WebhooksTest, GoOverTlsToWhoIsTrusted) {
  const Certificate certificate;
  StartReceiver(kTakesAll, {"--tls-cert", certificate.file, "--tls-key", certificate.key});
  Start({"--webhook-ca", certificate.file});

  RunThrough("test-review-1", "https://localhost:" + receiver_port_ + "/hooks");
  RunThrough("test-review-2", "https://127.0.0.1:" + receiver_port_ + "/hooks");

  EXPECT_TRUE(Await(
      [&] { return Sent()[0]["state"] == "delivered" && Sent()[1]["attempts"].size() == 1; }));
  EXPECT_EQ(Sent()[0]["attempts"][0]["status"], 200) << Sent();
  EXPECT_THAT(Sent()[1]["attempts"][0]["error"], HasSubstr("certificate verify failed"));
}

TEST_F(WebhooksTest, NeedUrlsAndFilesThatAreGood) {
  for (const std::vector<std::string>& flags : std::vector<std::vector<std::string>>{
           {"--webhook-url", "kyc.test/hooks"}, {"--webhook-ca", "/no/such/file"}}) {
    Process process(flags);
    EXPECT_THAT(process.ErrLine(), testing::AnyOf(HasSubstr("must be a URL of http or https"),
                                                  HasSubstr("/no/such/file: ")));
    EXPECT_EQ(process.Wait(), 2);
  }
}

}  // namespace
}  // namespace idv::sandbox
