// How calls fail: code, reason, details and trailers, and what of it reaches the upstream.

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "kora/idv/v1/biometric_service.grpc.pb.h"
#include "kora/idv/v1/document_service.grpc.pb.h"
#include "kora/idv/v1/fraud_alert_service.grpc.pb.h"
#include "kora/idv/v1/image_service.grpc.pb.h"
#include "kora/idv/v1/liveness_service.grpc.pb.h"
#include "kora/idv/v1/reference_service.grpc.pb.h"
#include "kora/idv/v1/verification_service.grpc.pb.h"
#include "tests/e2e/call.h"
#include "tests/e2e/gateway.h"
#include "tests/e2e/messages.h"
#include "tests/e2e/sandbox.h"
#include "tests/e2e/steps.h"

namespace idv::e2e {
namespace {

using grpc::StatusCode;
using kora::idv::v1::BiometricService;
using kora::idv::v1::DocumentService;
using kora::idv::v1::FraudAlertService;
using kora::idv::v1::ImageService;
using kora::idv::v1::LivenessService;
using kora::idv::v1::ReferenceService;
using kora::idv::v1::VerificationService;
using namespace kora::idv::v1;  // NOLINT(google-build-using-namespace): the requests of many RPCs
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;

constexpr char kGet[] = "/kora.idv.v1.VerificationService/GetVerification";
constexpr char kCreate[] = "/kora.idv.v1.VerificationService/CreateVerification";

// What a failed call must say of itself.
struct Expected {
  StatusCode code;
  std::string reason;
  std::string attempts = "0";
  std::string http_status = {};
  std::string upstream_code = {};
  std::string pushback = {};
  std::string blame = "caller";
};

std::string OrNothing(const std::map<std::string, std::string>& map, const std::string& key) {
  const auto found = map.find(key);
  return found == map.end() ? "" : found->second;
}

// The whole of ErrorInfo and of the trailers.
void ExpectFailure(const Outcome& outcome, const Expected& expected) {
  SCOPED_TRACE(testing::PrintToString(outcome));
  EXPECT_EQ(outcome.status.error_code(), expected.code);
  EXPECT_THAT(outcome.status.error_message(), MatchesRegex("[ -~]+"));
  EXPECT_LE(outcome.status.error_message().size(), 512U);
  EXPECT_EQ(outcome.info.domain(), "idv-gateway");
  EXPECT_EQ(outcome.reason(), expected.reason);
  std::map<std::string, std::string> metadata(outcome.info.metadata().begin(),
                                              outcome.info.metadata().end());
  EXPECT_EQ(OrNothing(metadata, "attempts"), expected.attempts);
  EXPECT_EQ(OrNothing(metadata, "blame"), expected.blame);
  EXPECT_EQ(OrNothing(metadata, "http_status"), expected.http_status);
  EXPECT_EQ(OrNothing(metadata, "upstream_code"), expected.upstream_code);
  const bool names_fields =
      expected.reason == "INVALID_FIELD" || expected.reason == "VALIDATION_ERROR";
  EXPECT_EQ(outcome.bad_request.has_value(), names_fields);
  EXPECT_FALSE(outcome.retry_info.has_value());
  const std::string request_id = OrNothing(metadata, "request_id");
  EXPECT_FALSE(request_id.empty());
  for (const char* known : {"attempts", "blame", "http_status", "upstream_code", "request_id"}) {
    metadata.erase(known);
  }
  EXPECT_THAT(metadata, IsEmpty());

  Metadata trailers = {{"x-request-id", request_id}, {"x-idv-attempts", expected.attempts}};
  if (!expected.pushback.empty()) trailers.emplace("grpc-retry-pushback-ms", expected.pushback);
  Metadata received = outcome.trailers;
  received.erase("grpc-status-details-bin");
  EXPECT_EQ(received, trailers);
}

// The proto paths of the violations, in their order.
std::vector<std::string> ViolatedFields(const Outcome& outcome) {
  std::vector<std::string> fields;
  if (!outcome.bad_request) return fields;
  for (const auto& violation : outcome.bad_request->field_violations()) {
    EXPECT_FALSE(violation.description().empty()) << violation.field();
    fields.push_back(violation.field());
  }
  return fields;
}

GetVerificationRequest ById(const std::string& id) {
  GetVerificationRequest request;
  request.set_verification_id(id);
  return request;
}

class ErrorsTest : public testing::Test {
 protected:
  Reply<Verification> Get(const std::string& id, const CallOptions& options = {}) {
    return client_.Call(&VerificationService::Stub::GetVerification, ById(id), options);
  }

  // A request with an image, for a verification that the upstream does not know.
  Reply<SelfieResult> UploadSelfie(size_t image_bytes) {
    UploadSelfieRequest request;
    request.set_verification_id("unknown");
    request.set_image(std::string(image_bytes, 'x'));
    return client_.Call(&BiometricService::Stub::UploadSelfie, request);
  }

  void ExpectNothingSent() { EXPECT_EQ(sandbox_.Requests(), Json::array()); }

  static Json SmallLimits(const Sandbox& sandbox) {
    Json config = BasicConfig(sandbox.base_url());
    config["limits"] = {{"max_message", "2KiB"}, {"max_image", "1KiB"}};
    return config;
  }

  const Sandbox sandbox_;
  Gateway gateway_{SmallLimits(sandbox_)};
  const Client client_{Connect(gateway_.addresses()[0])};
};

TEST_F(ErrorsTest, ARequiredFieldThatIsUnsetIsNamedAndNothingIsSent) {
  const auto reply =
      client_.Call(&VerificationService::Stub::CreateVerification, CreateVerificationRequest());

  ExpectFailure(reply, {StatusCode::INVALID_ARGUMENT, "INVALID_FIELD"});
  EXPECT_THAT(ViolatedFields(reply), ElementsAre("external_id"));
  ExpectNothingSent();
}

TEST_F(ErrorsTest, AllBadFieldsAreNamedAtOnceByTheirProtoPaths) {
  const auto review = client_.Call(&VerificationService::Stub::ReviewVerification,
                                   Parse<ReviewVerificationRequest>("reviewer_id: 'é'"));
  const auto inline_challenge = client_.Call(&VerificationService::Stub::CompleteVerification,
                                             Parse<CompleteVerificationRequest>(R"pb(
                                               verification_id: "x"
                                               liveness {
                                                 challenges { type: LIVENESS_CHALLENGE_TYPE_BLINK }
                                                 challenges { passed: true }
                                               }
                                             )pb"));
  const auto upload = client_.Call(&DocumentService::Stub::UploadDocument,
                                   Parse<UploadDocumentRequest>("verification_id: 'x'"));

  ExpectFailure(review, {StatusCode::INVALID_ARGUMENT, "INVALID_FIELD"});
  EXPECT_THAT(ViolatedFields(review), ElementsAre("verification_id", "reviewer_id", "decision"));
  ExpectFailure(inline_challenge, {StatusCode::INVALID_ARGUMENT, "INVALID_FIELD"});
  EXPECT_THAT(ViolatedFields(inline_challenge), ElementsAre("liveness.challenges[1].type"));
  ExpectFailure(upload, {StatusCode::INVALID_ARGUMENT, "INVALID_FIELD"});
  EXPECT_THAT(ViolatedFields(upload), ElementsAre("document_type", "image"));
  ExpectNothingSent();
}

TEST_F(ErrorsTest, AnIdThatIsNoPathSegmentIsRefusedAndNothingIsSent) {
  for (const std::string& id : {std::string(), std::string("."), std::string(".."),
                                std::string("a\nb"), std::string("a\0b", 3), std::string("\x7f")}) {
    SCOPED_TRACE(testing::PrintToString(id));

    const auto reply = Get(id);

    ExpectFailure(reply, {StatusCode::INVALID_ARGUMENT, "INVALID_FIELD"});
    EXPECT_THAT(ViolatedFields(reply), ElementsAre("verification_id"));
  }
  ExpectNothingSent();
}

TEST_F(ErrorsTest, AnIdIsOneSegmentOfThePathWhateverItHolds) {
  const std::map<std::string, std::string> encoded = {{"a/b", "a%2Fb"},
                                                      {"../alerts", "..%2Falerts"},
                                                      {"..%2falerts", "..%252falerts"},
                                                      {"a?b=c#d", "a%3Fb%3Dc%23d"},
                                                      {"a b+é", "a%20b%2B%C3%A9"},
                                                      {"...", "..."}};
  for (const auto& [id, segment] : encoded) {
    SCOPED_TRACE(id);
    sandbox_.ForgetRequests();

    const auto reply = Get(id);

    ExpectFailure(reply, {StatusCode::NOT_FOUND, "VERIFICATION_NOT_FOUND", "1", "404",
                          "VERIFICATION_NOT_FOUND"});
    ExpectSent(sandbox_.AwaitRequest(""), {.path = "/verifications/" + segment});
  }
}

TEST_F(ErrorsTest, BytesThatAreNoMessageAreRefused) {
  const Outcome garbage = client_.CallRaw(kGet, "\xff\xff\xff\xff");
  const Outcome cut = client_.CallRaw(kGet,
                                      "\x0a\x05"
                                      "ab");
  const Outcome no_text = client_.CallRaw(kCreate, "\x0a\x02\xc3\x28");

  for (const Outcome& outcome : {garbage, cut, no_text}) {
    ExpectFailure(outcome, {StatusCode::INVALID_ARGUMENT, "REQUEST_MALFORMED"});
  }
  ExpectNothingSent();
}

TEST_F(ErrorsTest, AnUnknownFieldOfTheCallerIsNoFailure) {
  const Outcome outcome = client_.CallRaw(kCreate, "\x0a\x01x\x9a\x06\x01y");

  EXPECT_TRUE(outcome.ok()) << testing::PrintToString(outcome);
  ExpectSent(sandbox_.AwaitRequest(""),
             {.method = "POST", .path = "/verifications", .body = R"({"externalId":"x"})"});
}

TEST_F(ErrorsTest, AnImageMayBeAsLargeAsTheLimitAndNoLarger) {
  ExpectFailure(UploadSelfie(1024), {StatusCode::NOT_FOUND, "VERIFICATION_NOT_FOUND", "1", "404",
                                     "VERIFICATION_NOT_FOUND"});
  sandbox_.ForgetRequests();

  ExpectFailure(UploadSelfie(1025), {StatusCode::INVALID_ARGUMENT, "IMAGE_TOO_LARGE"});
  ExpectNothingSent();
}

TEST_F(ErrorsTest, AMessageOverItsLimitIsRefusedWithAReason) {
  CreateVerificationRequest request;
  request.set_external_id(std::string(2048, 'x'));

  ExpectFailure(client_.Call(&VerificationService::Stub::CreateVerification, request),
                {StatusCode::INVALID_ARGUMENT, "MESSAGE_TOO_LARGE"});
  // A message with an image may have both limits together.
  ExpectFailure(UploadSelfie(3072), {StatusCode::INVALID_ARGUMENT, "MESSAGE_TOO_LARGE"});
  ExpectNothingSent();
}

TEST_F(ErrorsTest, AMessageOverTheTransportsLimitIsRefusedByTheTransport) {
  const auto reply = UploadSelfie(4 << 20);  // a frame may have 2 MiB, and another one is spare

  EXPECT_EQ(reply.status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_FALSE(reply.has_details);
  ExpectNothingSent();
}

TEST_F(ErrorsTest, AnUnknownVerificationIsNotFound) {
  const auto reply = Get("unknown");

  ExpectFailure(reply, {StatusCode::NOT_FOUND, "VERIFICATION_NOT_FOUND", "1", "404",
                        "VERIFICATION_NOT_FOUND"});
  EXPECT_THAT(reply.status.error_message(), HasSubstr("There is no such resource."));
}

TEST_F(ErrorsTest, WhatIsNotThereIsNotFoundByItsOwnReason) {
  const std::string id = Create(client_, "cust-1").id();
  GetLivenessRequest liveness;
  liveness.set_verification_id(id);
  GetImageUrlRequest image;
  image.set_verification_id(id);
  image.set_image_type("selfie");
  const auto alert = Parse<ResolveFraudAlertRequest>(
      R"pb(alert_id: "unknown" reviewer_id: "rev-1" status: FRAUD_ALERT_STATUS_DISMISSED)pb");

  ExpectFailure(client_.Call(&LivenessService::Stub::GetLiveness, liveness),
                {StatusCode::NOT_FOUND, "LIVENESS_SESSION_NOT_FOUND", "1", "404",
                 "LIVENESS_SESSION_NOT_FOUND"});
  ExpectFailure(client_.Call(&ImageService::Stub::GetImageUrl, image),
                {StatusCode::NOT_FOUND, "IMAGE_NOT_FOUND", "1", "404", "IMAGE_NOT_FOUND"});
  ExpectFailure(client_.Call(&FraudAlertService::Stub::ResolveFraudAlert, alert),
                {StatusCode::NOT_FOUND, "ALERT_NOT_FOUND", "1", "404", "ALERT_NOT_FOUND"});
}

TEST_F(ErrorsTest, ADecidedVerificationTakesNothingMore) {
  const std::string id = RunThrough(client_, "test-approve-1").id();
  UploadSelfieRequest request;
  request.set_verification_id(id);
  request.set_image("x");

  ExpectFailure(client_.Call(&BiometricService::Stub::UploadSelfie, request),
                {StatusCode::FAILED_PRECONDITION, "INVALID_STATE", "1", "409", "INVALID_STATE"});
}

TEST_F(ErrorsTest, CompletionWithoutADocumentIsAFailedPrecondition) {
  CompleteVerificationRequest request;
  request.set_verification_id(Create(client_, "cust-1").id());

  const auto reply = client_.Call(&VerificationService::Stub::CompleteVerification, request);

  ExpectFailure(reply, {StatusCode::FAILED_PRECONDITION, "DOCUMENT_REQUIRED", "1", "400",
                        "DOCUMENT_REQUIRED"});
}

TEST_F(ErrorsTest, AFieldThatTheUpstreamRefusesIsNamedByItsProtoPath) {
  const auto create = client_.Call(
      &VerificationService::Stub::CreateVerification,
      Parse<CreateVerificationRequest>(R"pb(external_id: "x" callback_url: "ftp://x")pb"));
  const auto complete = client_.Call(&VerificationService::Stub::CompleteVerification,
                                     Parse<CompleteVerificationRequest>(R"pb(
                                       verification_id: "x"
                                       liveness {
                                         challenges { type_raw: "blink" }
                                         challenges { type_raw: "wink" }
                                       }
                                     )pb"));

  const Expected expected = {StatusCode::INVALID_ARGUMENT, "VALIDATION_ERROR", "1", "400",
                             "VALIDATION_ERROR"};
  ExpectFailure(create, expected);
  EXPECT_THAT(ViolatedFields(create), ElementsAre("callback_url"));
  ExpectFailure(complete, expected);
  EXPECT_THAT(ViolatedFields(complete), ElementsAre("liveness.challenges[1].type"));
}

TEST_F(ErrorsTest, AFieldOfThePathThatTheUpstreamRefusesIsNamedByItsProtoPathToo) {
  const auto reply = client_.Call(&ImageService::Stub::GetImageUrl,
                                  Parse<GetImageUrlRequest>(R"pb(verification_id: "x"
                                                                 image_type: "painting")pb"));

  ExpectFailure(reply,
                {StatusCode::INVALID_ARGUMENT, "VALIDATION_ERROR", "1", "400", "VALIDATION_ERROR"});
  EXPECT_THAT(ViolatedFields(reply), ElementsAre("image_type"));
}

TEST_F(ErrorsTest, ASubjectWithoutAttemptsIsNotWorthARetry) {
  for (int attempt = 1; attempt <= 5; ++attempt) Create(client_, "cust-too-often");
  CreateVerificationRequest request;
  request.set_external_id("cust-too-often");

  ExpectFailure(client_.Call(&VerificationService::Stub::CreateVerification, request),
                {.code = StatusCode::RESOURCE_EXHAUSTED,
                 .reason = "DAILY_ATTEMPTS_EXHAUSTED",
                 .attempts = "1",
                 .http_status = "429",
                 .upstream_code = "RATE_LIMIT_EXCEEDED",
                 .pushback = "-1"});
}

TEST_F(ErrorsTest, AHangingUpstreamEndsTheCallBeforeTheCallersLibraryDoes) {
  sandbox_.AddFault({{"kind", "hang"}});
  Outcome outcome;
  // On a busy machine the caller's own clock may be first now and then.
  for (int tries = 0; tries < 5 && !outcome.has_details; ++tries) {
    outcome = Get("x", {.timeout = milliseconds(400)});
    EXPECT_EQ(outcome.status.error_code(), StatusCode::DEADLINE_EXCEEDED);
  }

  ExpectFailure(outcome, {.code = StatusCode::DEADLINE_EXCEEDED,
                          .reason = "UPSTREAM_TIMEOUT",
                          .attempts = "1",
                          .blame = "vendor"});
}

TEST_F(ErrorsTest, ACallThatComesTooLateSendsNothing) {
  Outcome outcome;
  ASSERT_EQ(Get("x").reason(), "VERIFICATION_NOT_FOUND");  // so that there is a connection
  sandbox_.ForgetRequests();
  for (int tries = 0; tries < 20 && !outcome.has_details; ++tries) {
    outcome = Get("x", {.timeout = milliseconds(15)});
  }

  ExpectFailure(
      outcome,
      {.code = StatusCode::DEADLINE_EXCEEDED, .reason = "DEADLINE_IN_QUEUE", .blame = "us"});
  ExpectNothingSent();
}

TEST_F(ErrorsTest, AnUnknownMethodIsUnimplemented) {
  EXPECT_EQ(client_.CallRaw("/kora.idv.v1.VerificationService/Nothing", "").status.error_code(),
            StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(
      client_.CallRaw("/kora.idv.v2.VerificationService/GetVerification", "").status.error_code(),
      StatusCode::UNIMPLEMENTED);
}

TEST_F(ErrorsTest, NothingOfTheCallersMetadataReachesTheUpstream) {
  Get("x", {.metadata = {{"x-tenant-id", "11111111-2222-4333-8444-555555555555"},
                         {"authorization", "Bearer of-the-caller"},
                         {"x-api-key", "of-the-caller"},
                         {"x-reviewer-id", "somebody"},
                         {"x-request-id", "req-1"},
                         {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
                         {"x-idv-priority", "batch"},
                         {"cookie", "a=b"},
                         {"anything-bin", "\x01\x02"}}});

  // Compares all headers there are.
  ExpectSent(sandbox_.AwaitRequest(""), {.path = "/verifications/x"});
}

TEST_F(ErrorsTest, TheCallersRequestIdComesBack) {
  const std::string longest(128, 'x');
  for (const std::string& id : {std::string("req-1"), longest}) {
    const auto failed = Get("x", {.metadata = {{"x-request-id", id}}});
    const auto succeeded =
        client_.Call(&ReferenceService::Stub::ListDocumentTypes, ListDocumentTypesRequest(),
                     {.metadata = {{"x-request-id", id}}});

    EXPECT_EQ(failed.Trailer("x-request-id"), id);
    EXPECT_EQ(failed.info.metadata().at("request_id"), id);
    EXPECT_TRUE(succeeded.ok());
    EXPECT_EQ(succeeded.Trailer("x-request-id"), id);
  }
}

TEST_F(ErrorsTest, ARequestIdIsMadeUpWhereTheCallerGivesNoneThatIsUsable) {
  std::vector<std::string> made_up;
  for (const Metadata& metadata :
       {Metadata{}, Metadata{{"x-request-id", std::string(129, 'x')}},
        Metadata{{"x-request-id", "two words"}}, Metadata{{"x-request-id", ""}}}) {
    const auto reply = Get("x", {.metadata = metadata});

    const std::string id = reply.Trailer("x-request-id").value_or("");
    EXPECT_THAT(id, MatchesRegex("[0-9a-f]{32}"));
    EXPECT_EQ(reply.info.metadata().at("request_id"), id);
    EXPECT_THAT(made_up, testing::Not(testing::Contains(id)));
    made_up.push_back(id);
  }
}

// A port on which nobody listens, and nobody else can meanwhile.
class DeafPort {
 public:
  DeafPort() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (socket_ < 0) std::abort();
    EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ~DeafPort() { close(socket_); }
  DeafPort(const DeafPort&) = delete;
  DeafPort& operator=(const DeafPort&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  const int socket_;
  int port_ = 0;
};

TEST(UpstreamErrorsTest, AnUpstreamThatIsNotThereIsUnavailable) {
  const DeafPort port;
  Gateway gateway(BasicConfig(port.url() + "/api/v1/idv"));
  const Client client(Connect(gateway.addresses()[0]));

  ExpectFailure(client.Call(&VerificationService::Stub::GetVerification, ById("x")),
                {.code = StatusCode::UNAVAILABLE,
                 .reason = "UPSTREAM_UNREACHABLE",
                 .attempts = "1",
                 .blame = "vendor"});
  ExpectFailure(client.Call(&ReferenceService::Stub::GetUpstreamHealth, GetUpstreamHealthRequest()),
                {.code = StatusCode::UNAVAILABLE,
                 .reason = "UPSTREAM_UNREACHABLE",
                 .attempts = "1",
                 .blame = "vendor"});
}

TEST(UpstreamErrorsTest, ARefusedKeyIsOurFaultAndNotWorthARetry) {
  const Sandbox sandbox;
  const TempDir dir;
  Json config = BasicConfig(sandbox.base_url());
  config["tenants"][0]["api_key"] = {{"file", dir.Write("key", "sk_wrong_0123456789\n")}};
  Gateway gateway(config);
  const Client client(Connect(gateway.addresses()[0]));

  const auto reply = client.Call(&VerificationService::Stub::GetVerification, ById("x"));

  ExpectFailure(reply, {.code = StatusCode::UNAVAILABLE,
                        .reason = "UPSTREAM_CREDENTIAL_REJECTED",
                        .attempts = "1",
                        .http_status = "401",
                        .upstream_code = "INVALID_API_KEY",
                        .pushback = "-1",
                        .blame = "us"});
  EXPECT_EQ(reply.status.error_message().find("sk_wrong"), std::string::npos);
  EXPECT_EQ(sandbox.AwaitRequest("")["headers"]["authorization"], "Bearer sk_wrong_0123456789");
}

TEST(UpstreamErrorsTest, AKeyWithoutThePermissionIsPermissionDenied) {
  const TempDir dir;
  const Sandbox sandbox(
      {"--tenants",
       dir.Write("tenants.yaml",
                 Json{{"tenants",
                       {{{"tenant_id", kTenantId},
                         {"keys", {{{"key", kApiKey}, {"scopes", {"reference:read"}}}}}}}}}
                     .dump())});
  Gateway gateway(sandbox);
  const Client client(Connect(gateway.addresses()[0]));

  ExpectFailure(client.Call(&VerificationService::Stub::GetVerification, ById("x")),
                {.code = StatusCode::PERMISSION_DENIED,
                 .reason = "UPSTREAM_FORBIDDEN",
                 .attempts = "1",
                 .http_status = "403",
                 .upstream_code = "FORBIDDEN",
                 .blame = "us"});
}

// Spends a tenant's ten requests of a minute, and asks once more.
class OverPlanTest : public testing::Test {
 protected:
  Outcome AskOnceMore(const std::string& plan) {
    Json config = BasicConfig(sandbox_.base_url());
    if (!plan.empty()) config["tenants"][0]["plan"] = plan;
    const Gateway gateway(config);
    const Client client(Connect(gateway.addresses()[0]));
    const auto list = [&] {
      return client.Call(&FraudAlertService::Stub::ListFraudAlerts, ListFraudAlertsRequest());
    };
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(list().ok());
    return list();
  }

  static void ExpectAWaitOfUpToAMinute(const Outcome& reply) {
    EXPECT_EQ(reply.status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_EQ(reply.info.metadata().at("blame"), "caller");
    ASSERT_TRUE(reply.retry_info.has_value());
    const auto& delay = reply.retry_info->retry_delay();
    EXPECT_GT(delay.seconds(), 30);
    EXPECT_LE(delay.seconds(), 61);
    EXPECT_EQ(reply.Trailer("grpc-retry-pushback-ms"),
              std::to_string(delay.seconds() * 1000 + delay.nanos() / 1'000'000));
  }

  size_t asked() const { return sandbox_.Requests("/alerts").size(); }

  const Sandbox sandbox_{{"--plan", "basic"}};
};

TEST_F(OverPlanTest, ATenantIsToldWhenToTryAgainWithoutAskingTheUpstream) {
  const Outcome reply = AskOnceMore("basic");

  SCOPED_TRACE(testing::PrintToString(reply));
  EXPECT_EQ(reply.reason(), "BUDGET_EXHAUSTED");
  ExpectAWaitOfUpToAMinute(reply);
  EXPECT_EQ(asked(), 10U);
}

TEST_F(OverPlanTest, WithoutAPlanTheUpstreamsAnswersSayHowMuchIsLeft) {
  const Outcome reply = AskOnceMore("");

  EXPECT_EQ(reply.reason(), "BUDGET_EXHAUSTED");
  ExpectAWaitOfUpToAMinute(reply);
  EXPECT_EQ(asked(), 10U);
}

TEST_F(OverPlanTest, UnlimitedLeavesItToTheUpstream) {
  const Outcome reply = AskOnceMore("unlimited");

  SCOPED_TRACE(testing::PrintToString(reply));
  EXPECT_EQ(reply.reason(), "UPSTREAM_RATE_LIMITED");
  EXPECT_EQ(reply.info.metadata().at("upstream_code"), "RATE_LIMIT_EXCEEDED");
  ExpectAWaitOfUpToAMinute(reply);
  EXPECT_EQ(asked(), 11U);
}

// Three tenants at the upstream; callers may act for two of them, and not with every method.
class TenantsTest : public testing::Test {
 protected:
  static constexpr char kAcme[] = "11111111-1111-4111-8111-111111111111";
  static constexpr char kGlobex[] = "22222222-2222-4222-8222-222222222222";
  static constexpr char kInitech[] = "33333333-3333-4333-8333-333333333333";

  std::vector<std::string> SandboxFlags() {
    Json tenants = Json::array();
    for (const char* id : {kAcme, kGlobex, kInitech}) {
      tenants.push_back({{"tenant_id", id},
                         {"keys", {{{"key", std::string("key-of-") + id}, {"scopes", {"*"}}}}}});
    }
    return {"--tenants", dir_.Write("tenants.yaml", Json{{"tenants", tenants}}.dump())};
  }

  Json Config() {
    Json config = BasicConfig(sandbox_.base_url());
    config["tenants"] = Json::array();
    for (const auto& [name, id] : std::map<std::string, std::string>{
             {"acme", kAcme}, {"globex", kGlobex}, {"initech", kInitech}}) {
      config["tenants"].push_back({{"name", name},
                                   {"tenant_id", id},
                                   {"api_key", {{"file", dir_.Write(name, "key-of-" + id)}}}});
    }
    config["callers"] = {{{"identity", "local"},
                          {"tenants", {"acme", "globex"}},
                          {"methods",
                           {"kora.idv.v1.VerificationService/*",
                            "kora.idv.v1.ReferenceService/GetUpstreamHealth"}}}};
    return config;
  }

  Reply<Verification> Get(const Metadata& metadata) {
    return client_.Call(&VerificationService::Stub::GetVerification, ById("x"),
                        {.metadata = metadata});
  }

  void ExpectNothingSent() { EXPECT_EQ(sandbox_.Requests(), Json::array()); }

  const TempDir dir_;
  const Sandbox sandbox_{SandboxFlags()};
  Gateway gateway_{Config()};
  const Client client_{Connect(gateway_.addresses()[0])};
};

TEST_F(TenantsTest, ACallerWithSeveralTenantsMustNameOne) {
  ExpectFailure(Get({}), {StatusCode::INVALID_ARGUMENT, "TENANT_REQUIRED"});
  ExpectFailure(Get({{"x-idv-tenant", "acme"}, {"x-idv-tenant", "globex"}}),
                {StatusCode::INVALID_ARGUMENT, "TENANT_REQUIRED"});
  ExpectNothingSent();
}

TEST_F(TenantsTest, ACallerMayNotNameAnothersTenant) {
  for (const char* name : {"initech", "nobody", "ACME", kAcme}) {
    ExpectFailure(Get({{"x-idv-tenant", name}}),
                  {StatusCode::PERMISSION_DENIED, "TENANT_NOT_ALLOWED"});
  }
  ExpectNothingSent();
}

TEST_F(TenantsTest, ACallerMayNotCallAMethodThatItWasNotGiven) {
  const auto reply =
      client_.Call(&ReferenceService::Stub::ListDocumentTypes, ListDocumentTypesRequest(),
                   {.metadata = {{"x-idv-tenant", "acme"}}});

  ExpectFailure(reply, {StatusCode::PERMISSION_DENIED, "METHOD_NOT_ALLOWED"});
  ExpectNothingSent();
}

TEST_F(TenantsTest, TheNamedTenantsOwnKeyIsSent) {
  for (const auto& [name, id] :
       std::map<std::string, std::string>{{"acme", kAcme}, {"globex", kGlobex}}) {
    sandbox_.ForgetRequests();

    const auto reply = Get({{"x-idv-tenant", name}});

    EXPECT_EQ(reply.reason(), "VERIFICATION_NOT_FOUND");
    const Json sent = sandbox_.AwaitRequest("");
    EXPECT_EQ(sent["headers"]["x-tenant-id"], id);
    EXPECT_EQ(sent["headers"]["authorization"], "Bearer key-of-" + id);
  }
}

TEST_F(TenantsTest, AnotherTenantsVerificationIsNotFound) {
  CreateVerificationRequest request;
  request.set_external_id("cust-1");
  const auto created = client_.Call(&VerificationService::Stub::CreateVerification, request,
                                    {.metadata = {{"x-idv-tenant", "acme"}}});
  ASSERT_TRUE(created.ok()) << testing::PrintToString<Outcome>(created);
  const auto get = [&](const char* tenant) {
    return client_.Call(&VerificationService::Stub::GetVerification, ById(created.response.id()),
                        {.metadata = {{"x-idv-tenant", tenant}}});
  };

  EXPECT_TRUE(get("acme").ok());
  ExpectFailure(get("globex"), {StatusCode::NOT_FOUND, "VERIFICATION_NOT_FOUND", "1", "404",
                                "VERIFICATION_NOT_FOUND"});
}

TEST_F(TenantsTest, TheHealthCheckNeedsNoTenant) {
  EXPECT_TRUE(
      client_.Call(&ReferenceService::Stub::GetUpstreamHealth, GetUpstreamHealthRequest()).ok());
}

}  // namespace
}  // namespace idv::e2e
