// Callers that pretend: whatever they send as metadata, the upstream receives the same request in
// the same tenant's name, or none at all.

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>

#include <chrono>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "kora/idv/v1/biometric_service.grpc.pb.h"
#include "kora/idv/v1/document_service.grpc.pb.h"
#include "kora/idv/v1/fraud_alert_service.grpc.pb.h"
#include "kora/idv/v1/image_service.grpc.pb.h"
#include "kora/idv/v1/liveness_service.grpc.pb.h"
#include "kora/idv/v1/reference_service.grpc.pb.h"
#include "kora/idv/v1/verification_service.grpc.pb.h"
#include "tests/auth/token_maker.h"
#include "tests/chaos/http2.h"
#include "tests/chaos/raw_connection.h"
#include "tests/e2e/call.h"
#include "tests/e2e/frame_call.h"
#include "tests/e2e/gateway.h"
#include "tests/e2e/messages.h"
#include "tests/e2e/process.h"
#include "tests/e2e/sandbox.h"
#include "tests/e2e/steps.h"

namespace idv::e2e {
namespace {

namespace http2 = chaos::http2;
using google::protobuf::ServiceDescriptor;
using namespace kora::idv::v1;  // NOLINT(google-build-using-namespace): the requests of all RPCs

constexpr char kOtherTenantId[] = "11111111-1111-4111-8111-111111111111";
constexpr char kOtherKey[] = "test_sk_of_another_tenant";
constexpr char kOtherBearer[] = "Bearer test_sk_of_another_tenant";
constexpr char kIssuer[] = "https://issuer.example.test";

// An RPC with a request that is the same each time.
struct Rpc {
  std::string name;  // "package.Service/Method"
  std::function<Outcome(const Client&, const CallOptions&)> call;
  std::string reviewer;
  bool for_tenant = true;
};

Rpc Unary(const std::string& name, const google::protobuf::Message& request,
          const std::string& reviewer = "") {
  const auto call = [path = "/" + name, bytes = request.SerializeAsString()](
                        const Client& client, const CallOptions& options) {
    return client.CallRaw(path, bytes, options);
  };
  return {name, call, reviewer};
}

template <typename Request>
Request For(const std::string& verification_id, const std::string& text = "") {
  auto request = Parse<Request>(text);
  request.set_verification_id(verification_id);
  return request;
}

Outcome StreamFrames(const Client& client, const CallOptions& options,
                     const std::string& verification_id) {
  FrameCall call(client, options);
  // What is sent to a call that was refused already, goes nowhere.
  if (call.SendHeader(verification_id) && call.SendFrame("a frame")) call.Close();
  return call.Finish();
}

// Of every service that the gateway serves.
std::set<std::string> AllRpcs() {
  std::set<std::string> names;
  for (const auto* file :
       {CreateVerificationRequest::descriptor()->file(),
        UploadDocumentRequest::descriptor()->file(), UploadSelfieRequest::descriptor()->file(),
        GetLivenessRequest::descriptor()->file(), ListImagesRequest::descriptor()->file(),
        ListFraudAlertsRequest::descriptor()->file(),
        ListDocumentTypesRequest::descriptor()->file()}) {
    const ServiceDescriptor& service = *file->service(0);
    for (int i = 0; i < service.method_count(); ++i) {
      names.insert(absl::StrCat(service.full_name(), "/", service.method(i)->name()));
    }
  }
  return names;
}

// What a caller may send as it likes, and nobody takes notice of.
std::vector<Metadata> IgnoredSpoofs() {
  const std::string binary("\x00\xff\r\n", 4);
  return {
      {{"x-tenant-id", kOtherTenantId}},
      {{"x-tenant-id", kOtherTenantId}, {"x-tenant-id", kTenantId}},
      {{"x-tenant-id", kOtherTenantId}, {"authorization", kOtherBearer}},
      {{"x-tenant-id-bin", kOtherTenantId}},
      {{"x-tenant-id-bin", binary}},
      {{"authorization", kOtherBearer}},
      {{"authorization", absl::StrCat("bearer ", kOtherKey)}},
      {{"authorization", absl::StrCat("BEARER  ", kOtherKey)}},
      {{"authorization", kOtherKey}},
      {{"authorization", "Basic dGVzdF9zazo="}},
      {{"authorization", kOtherBearer}, {"authorization", "Bearer test_sk_sandbox"}},
      {{"authorization-bin", kOtherBearer}},
      {{"proxy-authorization", kOtherBearer}, {"x-api-key", kOtherKey}, {"api-key", kOtherKey}},
      {{"x-idv-tenant-bin", "globex"}},
      {{"x-idv-tenant-id", "globex"}, {"idv-tenant", "globex"}, {"tenant", "globex"}},
      {{"x-idv-tenant", "acme"}, {"x-tenant-id", kOtherTenantId}, {"authorization", kOtherBearer}},
      {{"x-reviewer-id", "mallory"}},
      {{"x-reviewer-id", "mallory"}, {"x-reviewer-id", "eve"}, {"x-reviewer-id-bin", "eve"}},
      {{"host", "evil.example.test"}},
      {{"x-forwarded-for", "192.0.2.1"}, {"x-forwarded-host", "evil.example.test"}},
      {{"forwarded", "for=192.0.2.1;host=evil.example.test"}, {"x-real-ip", "192.0.2.1"}},
      {{"cookie", "session=spoof"}, {"cookie", "tenant=globex"}, {"set-cookie", "a=b"}},
      {{"te", "gzip"}},
      {{"content-type", "text/plain"}},
      {{"content-length", "1"}, {"transfer-encoding", "chunked"}, {"content-encoding", "gzip"}},
      {{"connection", "close"}, {"upgrade", "h2c"}, {"expect", "100-continue"}},
      {{"accept", "text/html"}, {"accept-encoding", "br"}, {"accept-language", "de"}},
      {{"user-agent", "spoof/1.0"}, {"referer", "https://evil.example.test"}},
      {{"x-http-method-override", "DELETE"}, {"x-original-url", "/alerts"}, {"range", "bytes=0-1"}},
      {{"x-request-id", "spoofed-request-id"}, {"x-request-id", "another"}},
      {{"idempotency-key", "1"}, {"traceparent", "00-1-1-01"}, {"grpc-trace-bin", binary}},
  };
}

// What is refused where a tenant is needed, and why.
std::vector<std::pair<Metadata, std::string>> RefusedSpoofs() {
  return {
      {{{"x-idv-tenant", "globex"}}, "TENANT_NOT_ALLOWED"},
      {{{"x-idv-tenant", "ACME"}}, "TENANT_NOT_ALLOWED"},
      {{{"x-idv-tenant", "acme,globex"}}, "TENANT_NOT_ALLOWED"},
      {{{"x-idv-tenant", "*"}}, "TENANT_NOT_ALLOWED"},
      {{{"x-idv-tenant", kTenantId}}, "TENANT_NOT_ALLOWED"},
      {{{"x-idv-tenant", kOtherTenantId}}, "TENANT_NOT_ALLOWED"},
      {{{"x-idv-tenant", "globex"}, {"authorization", kOtherBearer}}, "TENANT_NOT_ALLOWED"},
      {{{"x-idv-tenant", "acme"}, {"x-idv-tenant", "globex"}}, "TENANT_REQUIRED"},
      {{{"x-idv-tenant", "globex"}, {"x-idv-tenant", "acme"}}, "TENANT_REQUIRED"},
      {{{"x-idv-tenant", "acme"}, {"x-idv-tenant", "acme"}}, "TENANT_REQUIRED"},
  };
}

// A gateway of two tenants and a caller who may act for one of them.
class SpoofTest : public testing::Test {
 protected:
  std::vector<std::string> SandboxFlags() const {
    const auto tenant = [](const char* id, const char* key) -> Json {
      return {{"tenant_id", id}, {"keys", {{{"key", key}, {"scopes", {"*"}}}}}};
    };
    const Json tenants = {
        {"tenants", {tenant(kTenantId, kApiKey), tenant(kOtherTenantId, kOtherKey)}}};
    return {"--tenants", dir_.Write("tenants.yaml", tenants.dump()), "--attempts-per-day", "0"};
  }

  Json Config() const {
    Json config = OneRequestPerCall(BasicConfig(sandbox_.base_url()));
    config["tenants"].push_back({{"name", "globex"},
                                 {"tenant_id", kOtherTenantId},
                                 {"api_key", {{"file", dir_.Write("key", kOtherKey)}}}});
    config["callers"][0]["tenants"] = {"acme"};
    return config;
  }

  // Every RPC, in an order in which each succeeds at first.
  std::vector<Rpc> Rpcs() const {
    const std::string open = CreateWithSession(client_, "test-approve-1");
    UploadFront(client_, open);
    const std::string waiting = Create(client_, "test-review-1").id();
    UploadFront(client_, waiting);
    RunThrough(client_, "test-fraud-1");
    const auto alerts =
        client_.Call(&FraudAlertService::Stub::ListFraudAlerts, ListFraudAlertsRequest());
    auto resolve = Parse<ResolveFraudAlertRequest>(R"pb(
      reviewer_id: "rev-1"
      status: FRAUD_ALERT_STATUS_CONFIRMED
    )pb");
    resolve.set_alert_id(alerts.response.alerts_size() == 1 ? alerts.response.alerts(0).id() : "");
    std::vector<Rpc> rpcs = {
        Unary("kora.idv.v1.VerificationService/CreateVerification",
              Parse<CreateVerificationRequest>(R"pb(external_id: "test-approve-2")pb")),
        Unary("kora.idv.v1.VerificationService/GetVerification", For<GetVerificationRequest>(open)),
        Unary("kora.idv.v1.VerificationService/ListSubjectVerifications",
              Parse<ListSubjectVerificationsRequest>(R"pb(subject_id: "test-approve-1")pb")),
        Unary("kora.idv.v1.VerificationService/CompleteVerification",
              For<CompleteVerificationRequest>(waiting)),
        Unary("kora.idv.v1.VerificationService/ReviewVerification",
              For<ReviewVerificationRequest>(waiting, R"pb(reviewer_id: "rev-1"
                                                           decision: REVIEW_DECISION_APPROVE)pb"),
              "rev-1"),
        Unary(
            "kora.idv.v1.DocumentService/UploadDocument",
            For<UploadDocumentRequest>(open, R"pb(document_type: "ghana_card" image: "front")pb")),
        Unary("kora.idv.v1.DocumentService/UploadDocumentBack",
              For<UploadDocumentBackRequest>(open, R"pb(image: "back")pb")),
        Unary("kora.idv.v1.BiometricService/UploadSelfie",
              For<UploadSelfieRequest>(open, R"pb(image: "face")pb")),
        Unary("kora.idv.v1.LivenessService/CreateLivenessSession",
              For<CreateLivenessSessionRequest>(open)),
        Unary("kora.idv.v1.LivenessService/SubmitLivenessChallenge",
              For<SubmitLivenessChallengeRequest>(open, R"pb(challenge_type:
                                                                 LIVENESS_CHALLENGE_TYPE_BLINK
                                                             image: "eyes")pb")),
        {"kora.idv.v1.LivenessService/StreamLivenessFrames",
         [open](const Client& client, const CallOptions& options) {
           return StreamFrames(client, options, open);
         },
         ""},
        Unary("kora.idv.v1.LivenessService/GetLiveness", For<GetLivenessRequest>(open)),
        Unary("kora.idv.v1.ImageService/ListImages", For<ListImagesRequest>(open)),
        Unary("kora.idv.v1.ImageService/GetImageUrl",
              For<GetImageUrlRequest>(open, R"pb(image_type: "document_front")pb")),
        Unary("kora.idv.v1.FraudAlertService/ListFraudAlerts", ListFraudAlertsRequest()),
        Unary("kora.idv.v1.FraudAlertService/ResolveFraudAlert", resolve, "rev-1"),
        Unary("kora.idv.v1.ReferenceService/ListDocumentTypes", ListDocumentTypesRequest()),
        Unary("kora.idv.v1.ReferenceService/GetUpstreamHealth", GetUpstreamHealthRequest()),
    };
    rpcs.back().for_tenant = false;
    sandbox_.ForgetRequests();
    return rpcs;
  }

  // The requests that the upstream has received since the last time, without what differs from one
  // to the next by its nature: when it came, and how it was answered.
  Json TakeReceived() const {
    Json requests = sandbox_.Requests();
    sandbox_.ForgetRequests();
    for (Json& request : requests) {
      for (const char* key : {"id", "received_at_ms", "ended_at_ms", "outcome", "status"}) {
        request.erase(key);
      }
    }
    return requests;
  }

  // A list of the one request that the RPC makes of the upstream, when nobody pretends anything.
  Json PlainRequestOf(const Rpc& rpc, const CallOptions& options = {}) const {
    const Outcome outcome = rpc.call(client_, options);
    EXPECT_TRUE(outcome.ok()) << testing::PrintToString(outcome);
    Json received = TakeReceived();
    EXPECT_EQ(received.size(), 1U);
    if (received.size() == 1) ExpectOwn(received[0]["headers"], rpc);
    return received;
  }

  // Exactly the headers that the gateway makes, with the tenant's own id and key.
  void ExpectOwn(Json headers, const Rpc& rpc) const {
    Json expected = {{"accept", "application/json"},
                     {"user-agent", "idv-gateway"},
                     {"host", sandbox_.root_url().substr(std::string("http://").size())}};
    if (rpc.for_tenant) {
      expected["authorization"] = absl::StrCat("Bearer ", kApiKey);
      expected["x-tenant-id"] = kTenantId;
    }
    if (!rpc.reviewer.empty()) expected["x-reviewer-id"] = rpc.reviewer;
    if (headers.contains("content-type")) {  // it has a body
      expected["content-type"] = "application/json";
      EXPECT_NE(headers.erase("content-length"), headers.erase("transfer-encoding"));
    }
    EXPECT_EQ(headers, expected);
  }

  // `metadata`: to be ignored.
  void ExpectSame(const Rpc& rpc, const Client& client, const Metadata& metadata,
                  const Json& plain) const {
    const Outcome outcome = rpc.call(client, {.metadata = metadata});

    SCOPED_TRACE(testing::PrintToString(outcome) + " with " + testing::PrintToString(metadata));
    EXPECT_EQ(outcome.Trailer("x-idv-attempts"), "1");
    EXPECT_EQ(TakeReceived(), plain);
  }

  void ExpectRefused(const Rpc& rpc, const Metadata& metadata, const std::string& reason) const {
    const Outcome outcome = rpc.call(client_, {.metadata = metadata});

    SCOPED_TRACE(testing::PrintToString(metadata));
    EXPECT_EQ(outcome.reason(), reason);
    EXPECT_EQ(TakeReceived(), Json::array());
  }

  const TempDir dir_;
  const Sandbox sandbox_{SandboxFlags()};
  Gateway gateway_{Config()};
  const Client client_{Connect(gateway_.addresses()[0])};
};

TEST_F(SpoofTest, NoMetadataChangesWhatTheUpstreamReceives) {
  std::set<std::string> tried;
  for (const Rpc& rpc : Rpcs()) {
    SCOPED_TRACE(rpc.name);
    tried.insert(rpc.name);
    const Json plain = PlainRequestOf(rpc);
    for (const Metadata& metadata : IgnoredSpoofs()) ExpectSame(rpc, client_, metadata, plain);
  }
  EXPECT_EQ(tried, AllRpcs());
  EXPECT_EQ(tried.size(), 18U);
}

TEST_F(SpoofTest, NobodyActsForATenantThatIsNotTheirs) {
  for (const Rpc& rpc : Rpcs()) {
    SCOPED_TRACE(rpc.name);
    const Json plain = PlainRequestOf(rpc);
    for (const auto& [metadata, reason] : RefusedSpoofs()) {
      // Who needs no tenant may name any one.
      if (rpc.for_tenant || reason == "TENANT_REQUIRED") {
        ExpectRefused(rpc, metadata, reason);
      } else {
        ExpectSame(rpc, client_, metadata, plain);
      }
    }
  }
}

TEST_F(SpoofTest, TheCallersAuthorityAndUserAgentStayHere) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "evil.example.test");
  arguments.SetUserAgentPrefix("spoof/1.0");
  const Client client(grpc::CreateCustomChannel(gateway_.addresses()[0],
                                                grpc::InsecureChannelCredentials(), arguments));
  for (const Rpc& rpc : Rpcs()) {
    SCOPED_TRACE(rpc.name);
    ExpectSame(rpc, client, {{"host", "other.example.test"}}, PlainRequestOf(rpc));
  }
}

// gRPC's clients send nothing like it.
TEST_F(SpoofTest, NoHeaderOfARawConnectionChangesWhatTheUpstreamReceives) {
  const Rpc rpc = Unary("kora.idv.v1.VerificationService/GetVerification",
                        For<GetVerificationRequest>(Create(client_, "cust-1").id()));
  const auto request = For<GetVerificationRequest>(Create(client_, "cust-1").id());
  const std::string path = "/" + rpc.name;
  sandbox_.ForgetRequests();
  EXPECT_TRUE(client_.CallRaw(path, request.SerializeAsString()).ok());
  const Json plain = TakeReceived();
  ASSERT_EQ(plain.size(), 1U);
  const auto receive_with = [&](const http2::Fields& more) {
    http2::Fields fields = http2::CallFields(path);
    fields.insert(fields.end(), more.begin(), more.end());
    chaos::RawConnection connection(gateway_.addresses()[0]);
    connection.Greet();
    connection.Send(http2::Headers(1, http2::Block(fields)) +
                    http2::Frame(http2::Type::kData, http2::kEndStream, 1,
                                 http2::Message(request.SerializeAsString())));
    EXPECT_TRUE(connection.ReadUntil([](const chaos::Heard& heard) {
      return !heard.grpc_statuses.empty() || heard.Ending() != "open";
    }));
    return TakeReceived();
  };
  EXPECT_EQ(receive_with({}), plain);

  for (const http2::Fields& fields : std::vector<http2::Fields>{
           {{"X-Tenant-ID", kOtherTenantId}},
           {{"X-TENANT-ID", kOtherTenantId}, {"x-tenant-id", kOtherTenantId}},
           {{"Authorization", kOtherBearer}},
           {{"X-Idv-Tenant", "globex"}},
           {{"x-idv-tenant", "acme\r\nx-idv-tenant: globex"}},
           {{"x-tenant-id", absl::StrCat("1\r\nX-Tenant-ID: ", kOtherTenantId)}},
           {{"x-request-id", absl::StrCat("1\r\nX-Tenant-ID: ", kOtherTenantId)}},
           {{"x-tenant-id", std::string("\0\n", 2)}},
           {{"x-tenant-id-bin", "*** no base64 ***"}},
           {{":authority", "evil.example.test"}},
           {{":tenant", "globex"}},
           {{"host", "evil.example.test"}, {"host", "other.example.test"}},
           {{"content-type", "application/grpc+json"}, {"te", "gzip"}},
           {{"connection", "close"}, {"transfer-encoding", "chunked"}, {"content-length", "1"}}}) {
    for (const Json& received : receive_with(fields)) {
      EXPECT_EQ(received, plain[0]) << testing::PrintToString(fields);
    }
  }
}

// The same of a caller who is known by a token.
class SpoofByTokenTest : public SpoofTest {
 protected:
  Json ConfigWithTokens() const {
    Json config = Config();
    const std::string keys = KeySetOf(Json::array({key_.PublicKey()}));
    config["authentication"]["jwt"] = Json::array(
        {{{"issuer", kIssuer}, {"audience", "idv"}, {"jwks_file", dir_.Write("jwks", keys)}}});
    Json service = config["callers"][0];
    service["identity"] = "service";
    config["callers"].push_back(service);
    return config;
  }

  std::string Token() const {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now).count();
    return key_.Sign(
        {{"iss", kIssuer}, {"aud", "idv"}, {"sub", "service"}, {"exp", seconds + 3600}}, "RS256");
  }

  const TokenMaker key_{"RSA-2048", "key-1"};
  Gateway with_tokens_{ConfigWithTokens()};
  const Client by_token_{Connect(with_tokens_.addresses()[0])};
};

TEST_F(SpoofByTokenTest, TheTokenStaysHereAndAKeyIsNone) {
  const std::string token = Token();
  for (const Rpc& rpc : Rpcs()) {
    SCOPED_TRACE(rpc.name);
    const Json plain = PlainRequestOf(rpc);
    for (const char* scheme : {"Bearer ", "bearer ", "BEARER   "}) {
      ExpectSame(rpc, by_token_, {{"authorization", scheme + token}}, plain);
    }
    ExpectSame(
        rpc, by_token_,
        {{"authorization", "Bearer " + token}, {"x-tenant-id", kOtherTenantId}, {"cookie", "a=b"}},
        plain);
    for (const Metadata& metadata : std::vector<Metadata>{
             {{"authorization", kOtherBearer}},
             {{"authorization", absl::StrCat("BEARER ", kApiKey)}},
             {{"authorization", "Bearer " + token}, {"authorization", kOtherBearer}}}) {
      EXPECT_EQ(rpc.call(by_token_, {.metadata = metadata}).reason(), "CALLER_UNAUTHENTICATED");
    }
    const Metadata for_other = {{"authorization", "Bearer " + token}, {"x-idv-tenant", "globex"}};
    if (rpc.for_tenant) {
      EXPECT_EQ(rpc.call(by_token_, {.metadata = for_other}).reason(), "TENANT_NOT_ALLOWED");
    }
    EXPECT_EQ(TakeReceived(), Json::array());
  }
}

}  // namespace
}  // namespace idv::e2e
