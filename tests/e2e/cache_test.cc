// Answers that are given again: which, for how long, and what is then asked of the upstream.

#include <gmock/gmock.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kora/idv/v1/biometric_service.grpc.pb.h"
#include "kora/idv/v1/document_service.grpc.pb.h"
#include "kora/idv/v1/image_service.grpc.pb.h"
#include "kora/idv/v1/liveness_service.grpc.pb.h"
#include "kora/idv/v1/reference_service.grpc.pb.h"
#include "kora/idv/v1/verification_service.grpc.pb.h"
#include "tests/e2e/attempt.h"
#include "tests/e2e/call.h"
#include "tests/e2e/frame_call.h"
#include "tests/e2e/gateway.h"
#include "tests/e2e/messages.h"
#include "tests/e2e/rotating_tenants.h"
#include "tests/e2e/sandbox.h"
#include "tests/e2e/steps.h"
#include "tests/upstream/stub_server.h"

namespace idv::e2e {
namespace {

using kora::idv::v1::BiometricService;
using kora::idv::v1::DocumentService;
using kora::idv::v1::GetVerificationRequest;
using kora::idv::v1::ImageService;
using kora::idv::v1::ListDocumentTypesRequest;
using kora::idv::v1::ListDocumentTypesResponse;
using kora::idv::v1::LivenessService;
using kora::idv::v1::ReferenceService;
using kora::idv::v1::Verification;
using kora::idv::v1::VerificationService;
using std::chrono::milliseconds;
using testing::ElementsAre;

constexpr char kTypes[] = "/document-types";

Reply<ListDocumentTypesResponse> List(const Client& client, const std::string& country = "",
                                      const CallOptions& options = {}) {
  ListDocumentTypesRequest request;
  request.set_country(country);
  return client.Call(&ReferenceService::Stub::ListDocumentTypes, request, options);
}

// What `x-idv-cache` says of a call that has to succeed.
std::string SourceOf(const Outcome& outcome) {
  EXPECT_TRUE(outcome.ok()) << testing::PrintToString(outcome);
  return outcome.Trailer("x-idv-cache").value_or("nothing");
}

int AttemptsOf(const Outcome& outcome) {
  return std::stoi(outcome.Trailer("x-idv-attempts").value_or("-1"));
}

Json Lifetimes(const std::string& fresh, const std::string& stale,
               const std::string& stale_if_error) {
  return {{"reference", {{"fresh", fresh}, {"stale", stale}, {"stale_if_error", stale_if_error}}}};
}

class CacheTest : public testing::Test {
 protected:
  void Start(const Json& cache = Json::object()) {
    Json config = OneRequestPerCall(BasicConfig(sandbox_.base_url()));
    config["cache"] = cache;
    StartWith(config);
  }
  void StartWith(const Json& config) {
    client_.reset();
    gateway_.emplace(config);
    client_.emplace(Connect(gateway_->addresses()[0]));
  }

  Reply<Verification> GetOnce(const std::string& id) const {
    GetVerificationRequest request;
    request.set_verification_id(id);
    return client_->Call(&VerificationService::Stub::GetVerification, request);
  }
  std::string SourceOfGet(const std::string& id) const { return SourceOf(GetOnce(id)); }
  size_t Requests(const std::string& path = kTypes) const { return sandbox_.Requests(path).size(); }

  const Sandbox sandbox_{{"--attempts-per-day", "0"}};
  std::optional<Gateway> gateway_;
  std::optional<Client> client_;
};

TEST_F(CacheTest, GivesDocumentTypesAgainWithoutARequest) {
  Start();
  const auto first = List(*client_);
  EXPECT_EQ(SourceOf(first), "miss");
  EXPECT_EQ(AttemptsOf(first), 1);

  const auto second = List(*client_);

  EXPECT_EQ(SourceOf(second), "hit");
  EXPECT_EQ(AttemptsOf(second), 0);
  EXPECT_GT(first.response.document_types_size(), 0);
  EXPECT_THAT(second.response, EqualsProto(first.response));
  EXPECT_EQ(Requests(), 1U);
}

TEST_F(CacheTest, KeepsEachCountryByItself) {
  Start();

  EXPECT_EQ(SourceOf(List(*client_)), "miss");
  EXPECT_EQ(SourceOf(List(*client_, "GH")), "miss");
  EXPECT_EQ(SourceOf(List(*client_, "NG")), "miss");

  const auto again = List(*client_, "GH");
  EXPECT_EQ(SourceOf(again), "hit");
  for (const auto& type : again.response.document_types()) EXPECT_EQ(type.country(), "GH");
  EXPECT_EQ(SourceOf(List(*client_)), "hit");
  EXPECT_EQ(Requests(), 3U);
}

TEST_F(CacheTest, KeepsNoErrors) {
  Start();
  for (const int status : {400, 403, 404, 429, 500, 503}) {
    sandbox_.AddFault({{"kind", "status"}, {"status", status}, {"times", 1}});
    EXPECT_FALSE(List(*client_).ok()) << status;
  }
  sandbox_.AddFault({{"kind", "html"}, {"times", 1}});
  EXPECT_FALSE(List(*client_).ok());

  EXPECT_EQ(SourceOf(List(*client_)), "miss");
}

TEST_F(CacheTest, KeepsNothingOfWhatHasALifetimeOfZero) {
  Start(Lifetimes("0s", "0s", "0s"));

  EXPECT_EQ(SourceOf(List(*client_)), "miss");
  EXPECT_EQ(SourceOf(List(*client_)), "miss");
  EXPECT_EQ(Requests(), 2U);
}

TEST_F(CacheTest, NeverKeepsTheUrlsOfImages) {
  Start({{"verification", {{"terminal_for", "1h"}}}});
  const std::string id = RunThrough(*client_, "test-approve-1").id();
  sandbox_.ForgetRequests();
  kora::idv::v1::GetImageUrlRequest request;
  request.set_verification_id(id);
  request.set_image_type("document_front");

  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(SourceOf(client_->Call(&ImageService::Stub::GetImageUrl, request)), "miss");
  }

  EXPECT_EQ(Requests("/verifications/" + id + "/images/"), 2U);
}

// What is a little too old.

TEST_F(CacheTest, GivesAStaleAnswerAtOnceAndRenewsItOnceForAllCalls) {
  Start(Lifetimes("1ms", "1h", "1h"));
  EXPECT_EQ(SourceOf(List(*client_)), "miss");
  sandbox_.ForgetRequests();
  sandbox_.AddFault({{"kind", "hang"}});
  ASSERT_TRUE(WaitUntil([&] { return SourceOf(List(*client_)) == "stale"; }));

  for (int i = 0; i < 20; ++i) {
    const auto reply = List(*client_);
    EXPECT_EQ(SourceOf(reply), "stale");
    EXPECT_EQ(AttemptsOf(reply), 0);
  }

  sandbox_.AwaitRequest(kTypes, "pending");
}

TEST_F(CacheTest, GivesTheRenewedAnswer) {
  Start(Lifetimes("500ms", "1h", "1h"));
  EXPECT_EQ(SourceOf(List(*client_)), "miss");
  const auto is_now = [&](const std::string& source) {
    return WaitUntil([&] { return SourceOf(List(*client_)) == source; });
  };

  EXPECT_TRUE(is_now("stale"));
  EXPECT_TRUE(is_now("hit"));

  EXPECT_GE(Requests(), 2U);
}

TEST_F(CacheTest, AsksAFailingUpstreamForARenewalNowAndThenOnly) {
  Start(Lifetimes("1ms", "1h", "1h"));
  EXPECT_EQ(SourceOf(List(*client_)), "miss");
  sandbox_.ForgetRequests();
  sandbox_.AddFault({{"kind", "status"}, {"status", 500}});
  ASSERT_TRUE(WaitUntil([&] { return SourceOf(List(*client_)) == "stale" && Requests() > 0; }));
  sandbox_.AwaitRequest(kTypes);

  for (int i = 0; i < 50; ++i) EXPECT_EQ(SourceOf(List(*client_)), "stale");

  // The first renewal may just have been answered, and not be noted yet.
  EXPECT_LE(Requests(), 2U);
}

struct Trouble {
  const char* name;
  Json fault;
};

std::vector<Trouble> Troubles() {
  return {{"a 500", {{"kind", "status"}, {"status", 500}}},
          {"a 503", {{"kind", "status"}, {"status", 503}}},
          {"a 429", {{"kind", "status"}, {"status", 429}}},
          {"a 401", {{"kind", "unauthorized"}, {"until_key", "another"}}},
          {"a lost connection", {{"kind", "reset"}, {"at", "before_answer"}}},
          {"what cannot be read", {{"kind", "half_json"}}},
          {"silence", {{"kind", "hang"}}}};
}

TEST_F(CacheTest, GivesAnOldAnswerInThePlaceOfAnError) {
  constexpr milliseconds kTimeout{500};
  Start(Lifetimes("0s", "0s", "1h"));
  // One that is remembered to have just failed would not be asked for again.
  const std::vector<std::string> countries = {"", "GH", "NG", "KE", "ZA", "US", "GB"};
  for (const std::string& country : countries) List(*client_, country);
  size_t next = 0;
  for (const Trouble& trouble : Troubles()) {
    SCOPED_TRACE(trouble.name);
    sandbox_.AddFault(trouble.fault);

    const std::string& country = countries.at(next++);
    const Attempt attempt =
        Timed(kTimeout, [&] { return List(*client_, country, {.timeout = kTimeout}); });

    EXPECT_EQ(SourceOf(attempt), "stale");
    EXPECT_GE(AttemptsOf(attempt), 1);
    sandbox_.ClearFaults();
  }
}

TEST_F(CacheTest, GivesNoOldAnswerWhenTheUpstreamSaysThatItIsWrong) {
  Start(Lifetimes("0s", "0s", "1h"));
  EXPECT_EQ(SourceOf(List(*client_)), "miss");
  for (const int status : {400, 403, 404}) {
    sandbox_.AddFault({{"kind", "status"}, {"status", status}, {"times", 1}});
    EXPECT_FALSE(List(*client_).ok()) << status;
  }
}

TEST_F(CacheTest, AsksAFailingUpstreamForABetterAnswerNowAndThenOnly) {
  Start(Lifetimes("0s", "0s", "1h"));
  EXPECT_EQ(SourceOf(List(*client_)), "miss");
  sandbox_.AddFault({{"kind", "status"}, {"status", 500}});

  for (int i = 0; i < 20; ++i) EXPECT_EQ(SourceOf(List(*client_)), "stale");

  EXPECT_EQ(Requests(), 2U);
}

TEST_F(CacheTest, ServesOnWhileTheUpstreamIsDown) {
  std::optional<Sandbox> upstream(std::in_place);
  Json config = BasicConfig(upstream->base_url());
  config["cache"] = Lifetimes("1ms", "1ms", "1h");
  StartWith(config);
  EXPECT_EQ(SourceOf(List(*client_)), "miss");

  upstream.reset();
  ASSERT_TRUE(WaitUntil([&] { return SourceOf(List(*client_)) == "stale"; }));

  for (int i = 0; i < 5; ++i) EXPECT_EQ(SourceOf(List(*client_)), "stale");
}

// A verification of that tenant that has been decided; its id.
std::string Decide(const Client& client, const CallOptions& tenant) {
  kora::idv::v1::CreateVerificationRequest create;
  create.set_external_id("test-approve-1");
  const std::string id =
      client.Call(&VerificationService::Stub::CreateVerification, create, tenant).response.id();
  kora::idv::v1::UploadDocumentRequest upload;
  upload.set_verification_id(id);
  upload.set_document_type("ghana_card");
  upload.set_image("front");
  client.Call(&DocumentService::Stub::UploadDocument, upload, tenant);
  kora::idv::v1::CompleteVerificationRequest complete;
  complete.set_verification_id(id);
  client.Call(&VerificationService::Stub::CompleteVerification, complete, tenant);
  return id;
}

TEST(CacheOfTenantsTest, KeepsEachTenantsAnswersByThemselves) {
  const RotatingTenants tenants({"acme", "bolt"}, 1);
  Json config = tenants.Config();
  config["cache"] = {{"verification", {{"terminal_for", "1h"}}}};
  for (Json& tenant : config["tenants"]) {
    const std::string name = tenant["name"];
    tenant["api_key"] = {{"env", "KEY_OF_" + name}};
  }
  Gateway gateway(config, {{"KEY_OF_acme", RotatingTenants::Key("acme", 0)},
                           {"KEY_OF_bolt", RotatingTenants::Key("bolt", 0)}});
  const Client client(Connect(gateway.addresses()[0]));
  const CallOptions acme{.metadata = {{"x-idv-tenant", "acme"}}};
  const CallOptions bolt{.metadata = {{"x-idv-tenant", "bolt"}}};

  EXPECT_EQ(SourceOf(List(client, "", acme)), "miss");
  EXPECT_EQ(SourceOf(List(client, "", bolt)), "miss");
  EXPECT_EQ(SourceOf(List(client, "", acme)), "hit");
  EXPECT_EQ(SourceOf(List(client, "", bolt)), "hit");
  EXPECT_EQ(tenants.sandbox().Requests(kTypes).size(), 2U);

  const std::string id = Decide(client, acme);
  GetVerificationRequest get;
  get.set_verification_id(id);
  const auto source = [&] {
    return SourceOf(client.Call(&VerificationService::Stub::GetVerification, get, acme));
  };
  EXPECT_EQ(source(), "miss");
  EXPECT_EQ(source(), "hit");
  EXPECT_EQ(client.Call(&VerificationService::Stub::GetVerification, get, bolt).status.error_code(),
            grpc::StatusCode::NOT_FOUND);
}

// What an answer's ETag is good for.

class EntityTagTest : public testing::Test {
 protected:
  static constexpr char kBody[] = R"([{"type":"ghana_card","country":"GH"}])";

  StubServer::Reply Answer(const StubServer::Request& request) {
    const std::string tag = "ETag: " + tag_ + "\r\n";
    const auto known = request.headers.find("if-none-match");
    if (known != request.headers.end() && known->second == tag_) {
      return StubServer::Http(304, "", tag);
    }
    return StubServer::Http(200, kBody, tag);
  }

  std::vector<std::string> KnownTags() const {
    std::vector<std::string> tags;
    for (const StubServer::Request& request : upstream_.requests()) {
      const auto tag = request.headers.find("if-none-match");
      tags.push_back(tag == request.headers.end() ? "none" : tag->second);
    }
    return tags;
  }

  void Start(const Json& lifetimes) {
    Json config = OneRequestPerCall(BasicConfig(upstream_.url()));
    config["cache"] = lifetimes;
    gateway_.emplace(config);
    client_.emplace(Connect(gateway_->addresses()[0]));
  }

  const std::string tag_ = "\"v1\"";
  StubServer upstream_{[this](const auto& request) { return Answer(request); }};
  std::optional<Gateway> gateway_;
  std::optional<Client> client_;
};

TEST_F(EntityTagTest, AnAnswerThatHasNotChangedIsGivenAgain) {
  Start(Lifetimes("0s", "0s", "1h"));
  const auto first = List(*client_);

  const auto second = List(*client_);

  EXPECT_EQ(SourceOf(second), "miss");
  EXPECT_EQ(AttemptsOf(second), 1);
  EXPECT_EQ(second.response.document_types_size(), 1);
  EXPECT_THAT(second.response, EqualsProto(first.response));
  EXPECT_THAT(KnownTags(), ElementsAre("none", tag_));
}

TEST_F(EntityTagTest, IsFreshAgainWhenItHasNotChanged) {
  Start(Lifetimes("1s", "1h", "1h"));
  EXPECT_EQ(SourceOf(List(*client_)), "miss");
  ASSERT_TRUE(WaitUntil([&] { return SourceOf(List(*client_)) == "stale"; }));

  EXPECT_TRUE(WaitUntil([&] { return SourceOf(List(*client_)) == "hit"; }));
  EXPECT_THAT(KnownTags(), testing::IsSupersetOf({std::string("none"), tag_}));
}

// Nobody has asked for this: it is no answer.
TEST(UnaskedNotModifiedTest, IsAnError) {
  const StubServer upstream([](const auto&) { return StubServer::Http(304, ""); });
  const Gateway gateway(BasicConfig(upstream.url()));
  const Client client(Connect(gateway.addresses()[0]));

  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(List(client).reason(), "UPSTREAM_UNEXPECTED_STATUS");
  }
}

// Verifications.

class VerificationCacheTest : public CacheTest {
 protected:
  void SetUp() override { Start({{"verification", {{"terminal_for", "1h"}}}}); }

  // One whose answer is kept.
  std::string Kept(const std::string& external_id = "test-approve-1") const {
    const std::string id = RunThrough(*client_, external_id).id();
    EXPECT_EQ(SourceOfGet(id), "miss");
    EXPECT_EQ(SourceOfGet(id), "hit");
    return id;
  }
};

TEST_F(VerificationCacheTest, GivesADecidedOneAgain) {
  const std::string id = RunThrough(*client_, "test-reject-1").id();
  sandbox_.ForgetRequests();
  const auto first = GetOnce(id);
  EXPECT_EQ(SourceOf(first), "miss");

  const auto second = GetOnce(id);

  EXPECT_EQ(SourceOf(second), "hit");
  EXPECT_EQ(AttemptsOf(second), 0);
  EXPECT_THAT(second.response, EqualsProto(first.response));
  EXPECT_EQ(Requests("/verifications/" + id), 1U);
}

TEST_F(VerificationCacheTest, KeepsNoneThatMayStillChange) {
  const std::string pending = Create(*client_, "test-approve-1").id();
  const std::string in_review = RunThrough(*client_, "test-review-1").id();
  const std::string processing = RunThrough(*client_, "test-slow-1").id();

  for (const std::string& id : {pending, in_review, processing}) {
    EXPECT_EQ(SourceOfGet(id), "miss");
    EXPECT_EQ(SourceOfGet(id), "miss");
  }
}

TEST_F(VerificationCacheTest, ForgetsAVerificationThatACallWritesTo) {
  const std::string other = Kept("test-approve-2");
  using Write = std::function<Outcome(const std::string& id)>;
  const std::vector<std::pair<const char*, Write>> writes = {
      {"review",
       [&](const std::string& id) -> Outcome {
         kora::idv::v1::ReviewVerificationRequest request;
         request.set_verification_id(id);
         request.set_reviewer_id("r");
         request.set_decision(kora::idv::v1::REVIEW_DECISION_REJECT);
         return client_->Call(&VerificationService::Stub::ReviewVerification, request);
       }},
      {"completion",
       [&](const std::string& id) -> Outcome {
         kora::idv::v1::CompleteVerificationRequest request;
         request.set_verification_id(id);
         return client_->Call(&VerificationService::Stub::CompleteVerification, request);
       }},
      {"upload",
       [&](const std::string& id) -> Outcome {
         kora::idv::v1::UploadSelfieRequest request;
         request.set_verification_id(id);
         request.set_image("i");
         return client_->Call(&BiometricService::Stub::UploadSelfie, request);
       }},
      {"liveness session",
       [&](const std::string& id) -> Outcome {
         kora::idv::v1::CreateLivenessSessionRequest request;
         request.set_verification_id(id);
         return client_->Call(&LivenessService::Stub::CreateLivenessSession, request);
       }},
      {"frames", [&](const std::string& id) -> Outcome {
         FrameCall call(*client_);
         call.SendHeader(id);
         call.SendFrame("f");
         call.Close();
         return call.Finish();
       }}};
  for (const auto& [name, write] : writes) {
    SCOPED_TRACE(name);
    const std::string id = Kept();

    write(id);  // refused, since it has been decided; a faulty answer might say the same

    EXPECT_EQ(SourceOfGet(id), "miss");
    EXPECT_EQ(SourceOfGet(id), "hit");
  }
  EXPECT_EQ(SourceOfGet(other), "hit");
}

TEST_F(VerificationCacheTest, GivesWhatAReviewHasMadeOfIt) {
  const std::string id = RunThrough(*client_, "test-review-1").id();
  EXPECT_EQ(GetOnce(id).response.status(), kora::idv::v1::VERIFICATION_STATUS_MANUAL_REVIEW);
  kora::idv::v1::ReviewVerificationRequest request;
  request.set_verification_id(id);
  request.set_reviewer_id("r");
  request.set_decision(kora::idv::v1::REVIEW_DECISION_REJECT);
  EXPECT_TRUE(client_->Call(&VerificationService::Stub::ReviewVerification, request).ok());

  EXPECT_EQ(GetOnce(id).response.status(), kora::idv::v1::VERIFICATION_STATUS_REJECTED);
  const auto again = GetOnce(id);
  EXPECT_EQ(SourceOf(again), "hit");
  EXPECT_EQ(again.response.status(), kora::idv::v1::VERIFICATION_STATUS_REJECTED);
}

TEST_F(CacheTest, KeepsNoVerificationByDefault) {
  Start();
  const std::string id = RunThrough(*client_, "test-approve-1").id();

  EXPECT_EQ(SourceOfGet(id), "miss");
  EXPECT_EQ(SourceOfGet(id), "miss");
}

TEST_F(CacheTest, GivesNoVerificationInThePlaceOfAnErrorAfterItsTime) {
  Start({{"verification", {{"terminal_for", "1ms"}}}});
  const std::string id = RunThrough(*client_, "test-approve-1").id();
  EXPECT_EQ(SourceOfGet(id), "miss");
  sandbox_.AddFault({{"kind", "status"}, {"status", 500}});

  EXPECT_TRUE(WaitUntil([&] { return GetOnce(id).reason() == "UPSTREAM_ERROR"; }));
}

}  // namespace
}  // namespace idv::e2e
