// What those who watch the gateway see: pages, series and the log of calls.

#include "tests/e2e/watch.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "kora/idv/v1/biometric_service.grpc.pb.h"
#include "kora/idv/v1/reference_service.grpc.pb.h"
#include "kora/idv/v1/verification_service.grpc.pb.h"
#include "tests/auth/token_maker.h"
#include "tests/e2e/attempt.h"
#include "tests/e2e/fault_rows.h"
#include "tests/e2e/frame_call.h"
#include "tests/e2e/messages.h"
#include "tests/e2e/steps.h"

namespace idv::e2e {
namespace {

using kora::idv::v1::BiometricService;
using kora::idv::v1::CreateVerificationRequest;
using kora::idv::v1::GetVerificationRequest;
using kora::idv::v1::ListDocumentTypesRequest;
using kora::idv::v1::ReferenceService;
using kora::idv::v1::UploadSelfieRequest;
using kora::idv::v1::VerificationService;
using std::chrono::milliseconds;
using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr milliseconds kPatience{300};

Json WithPages(Json config) {
  config["listen"]["admin"] = "127.0.0.1:0";
  return config;
}

GetVerificationRequest ById(const std::string& id) {
  GetVerificationRequest request;
  request.set_verification_id(id);
  return request;
}

class WatchTest : public testing::Test {
 protected:
  void Start(const Json& config, const std::map<std::string, std::string>& environment = {}) {
    gateway_.emplace(WithPages(config), environment);
    client_.emplace(Connect(gateway_->addresses()[0]));
    witness_.emplace(*gateway_);
  }
  Json Basic() const { return BasicConfig(sandbox_.base_url()); }

  Reply<kora::idv::v1::Verification> Get(const std::string& id, const CallOptions& options = {}) {
    return witness_->Saw(
        client_->Call(&VerificationService::Stub::GetVerification, ById(id), options));
  }
  Outcome Selfie(size_t bytes) {
    UploadSelfieRequest request;
    request.set_verification_id("x");
    request.set_image(std::string(bytes, 'x'));
    return witness_->Saw(client_->Call(&BiometricService::Stub::UploadSelfie, request));
  }
  void ExpectReason(const Outcome& outcome, const std::string& reason) {
    EXPECT_EQ(outcome.reason(), reason) << testing::PrintToString(outcome);
  }

  const Sandbox sandbox_;
  std::optional<Gateway> gateway_;
  std::optional<Client> client_;
  std::optional<Witness> witness_;
};

// One blame and one reason for caller, log and series, for each kind of failure.

TEST_F(WatchTest, FaultsOfTheUpstreamAreSeenAsCallersAreTold) {
  Start(OneRequestPerCall(Basic()));
  for (const FaultRow& row : FaultRows()) {
    SCOPED_TRACE(row.fault.dump());
    sandbox_.AddFault(row.fault);
    const Attempt get = witness_->Saw(TryGet(*client_, kPatience));
    EXPECT_EQ(get.reason(), row.get.reason);
    witness_->Saw(TryPost(*client_, kPatience));
    sandbox_.ClearFaults();
  }
  witness_->ExpectTheSameSeen();
}

TEST_F(WatchTest, WhatTheGatewayRefusesIsSeenAsCallersAreTold) {
  Json config = Basic();
  config["limits"] = {{"max_message", "1KiB"}, {"max_image", "1KiB"}};
  config["tenants"].push_back(config["tenants"][0]);
  config["tenants"][1]["name"] = "globex";
  config["tenants"][1]["tenant_id"] = "11111111-1111-4111-8111-111111111111";
  config["callers"][0]["tenants"] = {"acme"};
  config["callers"][0]["methods"] = {"kora.idv.v1.VerificationService/*",
                                     "kora.idv.v1.BiometricService/*",
                                     "kora.idv.v1.LivenessService/*"};
  Start(config);

  ExpectReason(Get("unknown"), "VERIFICATION_NOT_FOUND");
  ExpectReason(Get(".."), "INVALID_FIELD");
  ExpectReason(Get("x", {.metadata = {{"x-idv-tenant", "globex"}}}), "TENANT_NOT_ALLOWED");
  ExpectReason(Get("x", {.metadata = {{"x-idv-tenant", "a"}, {"x-idv-tenant", "b"}}}),
               "TENANT_REQUIRED");
  ExpectReason(witness_->Saw(client_->Call(&ReferenceService::Stub::ListDocumentTypes,
                                           ListDocumentTypesRequest())),
               "METHOD_NOT_ALLOWED");
  ExpectReason(witness_->Saw(client_->CallRaw("/kora.idv.v1.VerificationService/CreateVerification",
                                              "\x0a\x7f")),
               "REQUEST_MALFORMED");
  ExpectReason(witness_->Saw(client_->Call(&VerificationService::Stub::CreateVerification,
                                           CreateVerificationRequest())),
               "INVALID_FIELD");
  ExpectReason(Selfie(1025), "IMAGE_TOO_LARGE");
  ExpectReason(Selfie(10'000), "MESSAGE_TOO_LARGE");
  witness_->ExpectTheSameSeen();
}

TEST_F(WatchTest, StreamsThatAreGivenUpAreSeenAsCallersAreTold) {
  Json config = Basic();
  config["limits"] = {{"max_message", "1KiB"},
                      {"frame_bytes", "1KiB"},
                      {"frames", 2},
                      {"stream_bytes", "2KiB"},
                      {"frame_idle", "200ms"}};
  Start(config);
  const auto stream = [&](const std::vector<std::string>& frames, int marked = 0) {
    FrameCall call(*client_);
    bool is_open = call.SendHeader("x");
    for (const std::string& frame : frames) is_open = is_open && call.SendFrame(frame);
    if (is_open && marked > 0) call.SendEndMark(marked);
    return witness_->Saw(call.Finish()).reason();
  };
  sandbox_.AddFault({{"kind", "hang"}});
  EXPECT_EQ(stream({std::string(1025, 'f')}), "FRAME_TOO_LARGE");
  EXPECT_EQ(stream({"1", "2", "3"}), "TOO_MANY_FRAMES");
  EXPECT_EQ(stream({std::string(1000, 'f'), std::string(1000, 'f')}), "STREAM_TOO_LARGE");
  EXPECT_EQ(stream({"1"}, /*marked=*/2), "FRAME_COUNT_MISMATCH");
  EXPECT_EQ(stream({"1"}), "STREAM_IDLE");
  FrameCall broken(*client_);
  broken.SendFrame("frame without a header");
  ExpectReason(witness_->Saw(broken.Finish()), "STREAM_PROTOCOL");

  witness_->ExpectTheSameSeen();
  EXPECT_EQ(SumOf(SeriesOf(*gateway_), "idv_gateway_frame_streams_aborted_total"), 6);
}

TEST_F(WatchTest, WhatTheUpstreamRefusesByACodeOfItsOwnIsSeenAsCallersAreTold) {
  Start(Basic());
  CreateVerificationRequest create;
  create.set_external_id("cust-1");
  Reply<kora::idv::v1::Verification> last;
  for (int i = 0; i < 6; ++i) {
    auto reply =
        witness_->Saw(client_->Call(&VerificationService::Stub::CreateVerification, create));
    EXPECT_EQ(reply.reason(), i < 5 ? "" : "DAILY_ATTEMPTS_EXHAUSTED");
    if (i == 0) last = reply;
  }
  kora::idv::v1::CompleteVerificationRequest complete;
  complete.set_verification_id(last.response.id());
  ExpectReason(
      witness_->Saw(client_->Call(&VerificationService::Stub::CompleteVerification, complete)),
      "DOCUMENT_REQUIRED");

  witness_->ExpectTheSameSeen();
}

TEST_F(WatchTest, WhatIsOursToMendIsSeenAsCallersAreTold) {
  const TempDir dir;
  Json config = OneRequestPerCall(Basic());
  config["tenants"].push_back(config["tenants"][0]);
  config["tenants"][1]["name"] = "globex";
  config["tenants"][1]["tenant_id"] = "11111111-1111-4111-8111-111111111111";
  config["tenants"][1]["api_key"] = {{"file", dir.Path("missing")}};
  config["limits"] = {{"max_in_flight", 1}};
  Start(config);
  ExpectReason(Get("x", {.metadata = {{"x-idv-tenant", "globex"}}}), "TENANT_CREDENTIAL_MISSING");
  sandbox_.AddFault({{"kind", "hang"}});
  PendingGet pending(*client_, "x",
                     {.metadata = {{"x-idv-tenant", "acme"}}, .timeout = milliseconds(2000)});
  sandbox_.AwaitRequest("/verifications/x", "pending");
  ExpectReason(Get("y", {.metadata = {{"x-idv-tenant", "acme"}}}), "GATEWAY_OVERLOADED");
  pending.Cancel();
  pending.Finish();

  for (const char* const seen : {R"("reason":"TENANT_CREDENTIAL_MISSING","blame":"us")",
                                 R"("reason":"GATEWAY_OVERLOADED","blame":"us")"}) {
    EXPECT_TRUE(gateway_->IsLogged(seen)) << seen;
  }
  const auto series = SeriesOf(*gateway_);
  EXPECT_EQ(SumOf(series, "idv_gateway_errors_total", {"blame=\"us\""}), 2);
}

TEST_F(WatchTest, ACallThatComesTooLateIsSeenAsItsCallerIsTold) {
  Start(Basic());
  Outcome outcome;
  // On a busy machine the caller's own clock may be first.
  for (int tries = 0; tries < 20 && !outcome.has_details; ++tries) {
    outcome = client_->Call(&VerificationService::Stub::GetVerification, ById("x"),
                            {.metadata = {}, .timeout = milliseconds(15)});
  }

  ExpectReason(outcome, "DEADLINE_IN_QUEUE");
  EXPECT_TRUE(gateway_->IsLogged(R"("reason":"DEADLINE_IN_QUEUE","blame":"us")"));
}

TEST_F(WatchTest, AnUnknownCallerIsSeenAsItIsTold) {
  const TempDir dir;
  const TokenMaker issuer("P-256", "key-1");
  Json config = Basic();
  config["authentication"]["jwt"] = Json::array(
      {{{"issuer", "https://issuer.test"},
        {"audience", "idv-gateway"},
        {"jwks_file", dir.Write("jwks.json", KeySetOf(Json::array({issuer.PublicKey()})))}}});
  config["callers"][0]["identity"] = "somebody";
  Start(config);
  ExpectReason(Get("x"), "CALLER_UNAUTHENTICATED");

  witness_->ExpectTheSameSeen();
}

TEST_F(WatchTest, WhatIsRefusedForTheUpstreamsSakeIsSeenAsCallersAreTold) {
  Json config = Basic();
  config["tenants"][0]["plan"] = "basic";
  config["breaker"] = {{"failures", 1}, {"open_for", "1m"}};
  config["retry"]["max_attempts"] = 1;
  Start(config);

  for (int i = 0; i < 9; ++i) ExpectReason(Get("unknown"), "VERIFICATION_NOT_FOUND");
  sandbox_.AddFault(StatusFault(500));
  ExpectReason(witness_->Saw(TryPost(*client_, milliseconds(2000))), "UPSTREAM_ERROR");
  ExpectReason(witness_->Saw(TryPost(*client_, milliseconds(2000))), "UPSTREAM_CIRCUIT_OPEN");
  ExpectReason(Get("unknown", {.metadata = {}, .timeout = milliseconds(2000)}), "BUDGET_EXHAUSTED");

  witness_->ExpectTheSameSeen();
}

TEST_F(WatchTest, ACallerThatGivesUpIsSeen) {
  Start(OneRequestPerCall(Basic()));
  sandbox_.AddFault({{"kind", "hang"}});
  {
    PendingGet pending(*client_, "x");
    sandbox_.AwaitRequest("/verifications/x", "pending");
    pending.Cancel();
  }

  const std::vector<Json> calls = CallLinesOf(*gateway_, 1);
  ASSERT_EQ(calls.size(), 1U);
  EXPECT_EQ(calls[0].at("code"), "Canceled");
  EXPECT_EQ(calls[0].at("reason"), "CALLER_CANCELLED");
  EXPECT_EQ(calls[0].at("blame"), "caller");
  EXPECT_EQ(SumOf(SeriesOf(*gateway_), "idv_gateway_errors_total",
                  {"reason=\"CALLER_CANCELLED\"", "blame=\"caller\""}),
            1);
}

TEST_F(WatchTest, ACallThatComesWhileTheGatewayGoesIsSeen) {
  Json config = OneRequestPerCall(Basic());
  config["drain"] = {{"settle", "0s"}, {"unary_grace", "5s"}};
  Start(config);
  sandbox_.AddFault({{"kind", "hang"}, {"path_prefix", "/verifications/x"}});
  PendingGet pending(*client_, "x");
  sandbox_.AwaitRequest("/verifications/x", "pending");

  gateway_->process().Signal(SIGTERM);
  ASSERT_TRUE(WaitUntil([&] {
    const auto reply = client_->Call(&VerificationService::Stub::GetVerification, ById("y"));
    return reply.reason() == "GATEWAY_DRAINING";
  }));

  EXPECT_TRUE(gateway_->IsLogged(R"("reason":"GATEWAY_DRAINING","blame":"us")"));
  EXPECT_EQ(SumOf(SeriesOf(*gateway_), "idv_gateway_draining"), 1);
  EXPECT_THAT(PageOf(*gateway_, "/readyz", 503), HasSubstr("shutting down"));
}

// What a line and the series say of a call.

TEST_F(WatchTest, ALineSaysWhatACallWas) {
  Start(Basic());
  EXPECT_TRUE(Get(Create(*client_, "test-approve-1").id(),
                  {.metadata = {{"x-request-id", "r-1"}, {"x-idv-priority", "batch"}}})
                  .ok());

  const Json call = CallLinesOf(*gateway_, 2).at(1);
  EXPECT_EQ(call.at("level"), "info");
  EXPECT_EQ(call.at("request_id"), "r-1");
  EXPECT_EQ(call.at("caller"), "local");
  EXPECT_EQ(call.at("tenant"), "acme");
  EXPECT_EQ(call.at("priority"), "batch");
  EXPECT_EQ(call.at("method"), "kora.idv.v1.VerificationService/GetVerification");
  EXPECT_EQ(call.at("code"), "OK");
  EXPECT_EQ(call.at("http_status"), 200);
  EXPECT_EQ(call.at("attempts"), 1);
  EXPECT_EQ(call.at("cache"), "miss");
  EXPECT_EQ(call.at("received_messages"), 1);
  EXPECT_GT(call.at("received_bytes"), 36);
  EXPECT_GT(call.at("sent_bytes"), 100);
  EXPECT_GT(call.at("upstream_ms"), 0);
  const double parts = call.at("gateway_ms").get<double>() + call.at("upstream_ms").get<double>();
  EXPECT_NEAR(call.at("duration_ms"), parts, 0.01);
  EXPECT_FALSE(call.contains("wait_ms"));
  EXPECT_FALSE(call.contains("reason"));
}

TEST_F(WatchTest, TheUpstreamsTimeIsNotTheGateways) {
  Start(Basic());
  sandbox_.AddFault({{"kind", "latency"}, {"milliseconds", 200}});
  EXPECT_FALSE(Get("unknown").ok());

  const Json call = CallLinesOf(*gateway_, 1).at(0);
  EXPECT_GE(call.at("upstream_ms"), 200);
  EXPECT_LT(call.at("gateway_ms"), 100);
  const auto series = SeriesOf(*gateway_);
  EXPECT_GE(SumOf(series, "idv_gateway_call_phase_seconds_sum", {"phase=\"upstream\""}), 0.2);
  EXPECT_GE(SumOf(series, "idv_gateway_upstream_phase_seconds_sum", {"phase=\"total\""}), 0.2);
  EXPECT_GE(SumOf(series, "idv_gateway_upstream_phase_seconds_sum", {"phase=\"first_byte\""}), 0.2);
  EXPECT_LT(SumOf(series, "idv_gateway_overhead_seconds_sum"), 0.1);
}

TEST_F(WatchTest, AWaitForTheAllowanceIsNeitherTheUpstreamsNorTheGateways) {
  Json config = Basic();
  config["tenants"][0]["allowance"] = {{"requests_per_minute", 60}};
  Start(config);
  // Batch calls are spread over the minute.
  const CallOptions batch{.metadata = {{"x-idv-priority", "batch"}}};
  EXPECT_FALSE(Get("a", batch).ok());
  EXPECT_FALSE(Get("b", batch).ok());

  const Json call = CallLinesOf(*gateway_, 2).at(1);
  EXPECT_GT(call.value("wait_ms", 0.0), 100) << call;
  EXPECT_LT(call.at("gateway_ms"), 100);
  const auto series = SeriesOf(*gateway_);
  EXPECT_EQ(SumOf(series, "idv_gateway_budget_wait_seconds_count", {"tenant=\"acme\""}), 1);
  EXPECT_GT(SumOf(series, "idv_gateway_budget_wait_seconds_sum", {"tenant=\"acme\""}), 0.1);
  EXPECT_EQ(SumOf(series, "idv_gateway_budget_limit", {"tenant=\"acme\""}), 60);
  EXPECT_EQ(SumOf(series, "idv_gateway_budget_remaining", {"tenant=\"acme\""}), 58);
}

TEST_F(WatchTest, EachAttemptIsCounted) {
  Json config = Basic();
  config["tenants"][0]["plan"] = "unlimited";
  config["retry"] = {{"max_attempts", 3}, {"budget", 1}};
  Start(config);
  EXPECT_FALSE(Get("earns a repeat").ok());
  sandbox_.AddFault(StatusFault(503));
  const auto reply = Get("x");

  ExpectReason(reply, "UPSTREAM_UNAVAILABLE");
  const int attempts = std::stoi(reply.Trailer("x-idv-attempts").value_or("0"));
  EXPECT_GE(attempts, 2);
  const auto series = SeriesOf(*gateway_);
  EXPECT_EQ(SumOf(series, "idv_gateway_upstream_requests_total",
                  {"operation=\"GetVerification\"", "status_class=\"5xx\""}),
            attempts);
  EXPECT_EQ(SumOf(series, "idv_gateway_tenant_requests_total",
                  {"tenant=\"acme\"", "status_class=\"5xx\""}),
            attempts);
  EXPECT_EQ(SumOf(series, "idv_gateway_retries_total", {"reason=\"UPSTREAM_UNAVAILABLE\""}),
            attempts - 1);
  EXPECT_EQ(CallLinesOf(*gateway_, 2).at(1).at("attempts"), attempts);
}

TEST_F(WatchTest, AnswersOutOfTheCacheAreCounted) {
  Start(Basic());
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(
        client_->Call(&ReferenceService::Stub::ListDocumentTypes, ListDocumentTypesRequest()).ok());
  }

  const auto series = SeriesOf(*gateway_);
  const auto lookups = [&](const std::string& result) {
    return SumOf(series, "idv_gateway_cache_lookups_total",
                 {"cache=\"reference\"", "result=\"" + result + "\""});
  };
  EXPECT_EQ(lookups("miss"), 1);
  EXPECT_EQ(lookups("hit"), 2);
  EXPECT_EQ(SumOf(series, "idv_gateway_cache_entries", {"tenant=\"acme\"", "cache=\"reference\""}),
            1);
  EXPECT_EQ(CallLinesOf(*gateway_, 3).at(2).at("cache"), "hit");
}

TEST_F(WatchTest, FramesAreCounted) {
  Start(Basic());
  const std::string id = CreateWithSession(*client_, "test-approve-1");
  FrameCall call(*client_);
  ASSERT_TRUE(call.SendHeader(id));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(call.SendFrame(std::string(1000, 'f')));
  call.Close();
  EXPECT_TRUE(call.Finish().ok());
  sandbox_.ForgetRequests();
  {
    FrameCall given_up(*client_);
    ASSERT_TRUE(given_up.SendHeader(id));
    sandbox_.AwaitRequest("/verifications/" + id + "/liveness/frames", "pending");
    given_up.Cancel();
  }

  ASSERT_TRUE(WaitUntil([&] {
    return SumOf(SeriesOf(*gateway_), "idv_gateway_frame_streams_aborted_total",
                 {"reason=\"CALLER_CANCELLED\""}) == 1;
  }));
  const auto series = SeriesOf(*gateway_);
  EXPECT_EQ(SumOf(series, "idv_gateway_frame_stream_frames_total"), 3);
  EXPECT_EQ(SumOf(series, "idv_gateway_frame_stream_bytes_total"), 3000);
  EXPECT_EQ(SumOf(series, "idv_gateway_frame_streams"), 0);
  EXPECT_EQ(SumOf(series, "grpc_server_msg_received_total",
                  {"grpc_method=\"StreamLivenessFrames\"", "grpc_type=\"client_stream\""}),
            5);
}

// Nobody can make a series.

std::set<std::string> NamesOf(const std::map<std::string, double>& series) {
  std::set<std::string> names;
  for (const auto& [name, value] : series) names.insert(name);
  return names;
}

TEST_F(WatchTest, NothingThatIsSentMakesANewSeries) {
  Start(Basic());
  const std::set<std::string> before = NamesOf(SeriesOf(*gateway_));
  Get("some-id", {.metadata = {{"x-request-id", "some-request"}}});
  Get("x", {.metadata = {{"x-idv-tenant", "nobody"}}});
  Get("x", {.metadata = {{"x-idv-priority", "hasty"}}});
  client_->CallRaw("/kora.idv.v1.Nothing/Such", "");
  sandbox_.AddFault({{"kind", "status"}, {"status", 409}, {"body", R"({"code":"SOME_NEW_CODE"})"}});
  ExpectReason(Get("x"), "SOME_NEW_CODE");
  sandbox_.ClearFaults();
  sandbox_.AddFault({{"kind", "unknown_enums"}});
  TryPost(*client_, milliseconds(2000));

  const auto series = SeriesOf(*gateway_);
  EXPECT_EQ(NamesOf(series), before);
  EXPECT_EQ(SumOf(series, "idv_gateway_errors_total", {"reason=\"UPSTREAM_OTHER\""}), 1);
  EXPECT_GT(SumOf(series, "idv_gateway_drift_total", {"kind=\"unknown_value\""}), 0);
  EXPECT_TRUE(gateway_->IsLogged(R"("reason":"UPSTREAM_OTHER","blame":"caller")"));
}

// Tenants come and go.

Json WithTenants(Json config, int count) {
  const Json tenant = config["tenants"][0];
  config["tenants"] = Json::array();
  for (int i = 0; i < count; ++i) {
    config["tenants"].push_back(tenant);
    config["tenants"][static_cast<size_t>(i)]["name"] = "t" + std::to_string(i);
    std::string id = kTenantId;
    const std::string number = std::to_string(100'000 + i);
    if (i > 0) id.replace(id.size() - number.size(), number.size(), number);
    config["tenants"][static_cast<size_t>(i)]["tenant_id"] = id;
  }
  return config;
}

TEST_F(WatchTest, TheSeriesOfATenantGoWithIt) {
  Start(WithTenants(Basic(), 2));
  EXPECT_EQ(SumOf(SeriesOf(*gateway_), "idv_gateway_secret_usable", {"tenant=\"t1\""}), 1);

  gateway_->Reconfigure(WithPages(WithTenants(Basic(), 1)));
  gateway_->process().Signal(SIGHUP);
  ASSERT_TRUE(gateway_->IsLogged("the new configuration is taken"));

  const auto series = SeriesOf(*gateway_);
  EXPECT_EQ(SumOf(series, "idv_gateway_secret_usable", {"tenant=\"t0\""}), 1);
  EXPECT_THAT(NamesOf(series), Each(Not(HasSubstr("tenant=\"t1\""))));
}

TEST_F(WatchTest, ManyTenantsShareTheirSeries) {
  Start(WithTenants(Basic(), 201));

  const auto series = SeriesOf(*gateway_);
  EXPECT_THAT(NamesOf(series), Each(Not(HasSubstr("tenant=\"t"))));
  EXPECT_EQ(SumOf(series, "idv_gateway_secret_usable", {"tenant=\"\""}), 1);
  EXPECT_THAT(PageOf(*gateway_, "/statusz?format=json"), HasSubstr("\"t200\""));
}

// Switches.

TEST_F(WatchTest, CallsAreNotWrittenWhenThatIsOff) {
  Json config = Basic();
  config["log"] = {{"access", false}};
  Start(config);
  Get("x");
  EXPECT_EQ(SumOf(SeriesOf(*gateway_), "grpc_server_handled_total"), 1);

  gateway_->Reconfigure(WithPages(Basic()));
  gateway_->process().Signal(SIGHUP);
  ASSERT_TRUE(gateway_->IsLogged("the new configuration is taken"));
  Get("y");

  EXPECT_EQ(CallLinesOf(*gateway_, 1).size(), 1U);
}

TEST_F(WatchTest, StatuszCanBeLeftOut) {
  Json config = Basic();
  config["admin"] = {{"statusz", false}};
  Start(config);

  EXPECT_THAT(PageOf(*gateway_, "/statusz", 404), HasSubstr("admin.statusz"));
}

TEST_F(WatchTest, StatuszIsForPeopleAndForPrograms) {
  Start(Basic());
  ExpectReason(Get("unknown"), "VERIFICATION_NOT_FOUND");

  const Json status = Json::parse(PageOf(*gateway_, "/statusz?format=json"));
  EXPECT_EQ(status.at("ready"), true);
  EXPECT_EQ(status.at("tenants").at(0).at("name"), "acme");
  EXPECT_EQ(status.at("tenants").at(0).at("key").at("state"), "usable");
  EXPECT_EQ(status.at("tenants").at(0).at("breakers").at("read"), "closed");
  EXPECT_EQ(status.at("errors").at(0).at("reason"), "VERIFICATION_NOT_FOUND");
  EXPECT_EQ(status.at("calls").at("failed").at("caller"), 1);
  EXPECT_EQ(status.at("shards").size(), 1U);
  EXPECT_EQ(status.at("shards").at(0).at("stalled"), false);
  const std::string page = PageOf(*gateway_, "/statusz");
  EXPECT_THAT(page, AllOf(HasSubstr("<html"), HasSubstr("acme"), Not(HasSubstr("<script"))));
  EXPECT_THAT(PageOf(*gateway_, "/statusz?format=xml", 400), HasSubstr("format"));
}

// A log that nobody reads.

TEST_F(WatchTest, CallsGoOnThoughNobodyReadsTheLog) {
  const TempDir dir;
  const std::string fifo = dir.Path("log");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  const int reader = open(fifo.c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  Json config = OneRequestPerCall(WithPages(Basic()));
  config["tenants"][0]["api_key"] = {{"file", dir.Write("key", kApiKey)}};
  Process gateway("/bin/sh", {"-c", "exec \"$0\" --config \"$1\" 2>\"$2\"", GatewayProgram(),
                              dir.Write("gateway.yaml", config.dump()), fifo});
  const std::vector<std::string> lines = gateway.OutLines(2);
  ASSERT_EQ(lines.size(), 2U);
  const Client client(Connect(lines[0].substr(lines[0].rfind(' ') + 1)));

  // Some 300 bytes each, of which a pipe takes 64 KiB.
  for (int i = 0; i < 1000; ++i) {
    const auto reply = client.Call(&VerificationService::Stub::GetVerification, ById("unknown"));
    ASSERT_EQ(reply.reason(), "VERIFICATION_NOT_FOUND");
  }
  gateway.Signal(SIGTERM);

  EXPECT_EQ(gateway.Wait(), 0);
  close(reader);
}

}  // namespace
}  // namespace idv::e2e
