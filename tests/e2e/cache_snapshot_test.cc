// Answers that are kept over a restart.

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "auth/fetch.h"
#include "kora/idv/v1/reference_service.grpc.pb.h"
#include "kora/idv/v1/verification_service.grpc.pb.h"
#include "tests/e2e/call.h"
#include "tests/e2e/gateway.h"
#include "tests/e2e/process.h"
#include "tests/e2e/sandbox.h"
#include "tests/e2e/steps.h"
#include "tests/marker.h"

namespace idv::e2e {
namespace {

using kora::idv::v1::CreateVerificationRequest;
using kora::idv::v1::ListDocumentTypesRequest;
using kora::idv::v1::ListDocumentTypesResponse;
using kora::idv::v1::ReferenceService;
using kora::idv::v1::VerificationService;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class CacheSnapshotTest : public testing::Test {
 protected:
  Json Config(const std::string& fresh = "1h") const {
    Json config = BasicConfig(base_url_);
    config["listen"]["admin"] = "127.0.0.1:0";
    config["tenants"][0]["plan"] = "unlimited";
    config["retry"]["max_attempts"] = 1;
    config["cache"] = {{"reference", {{"fresh", fresh}, {"snapshot_dir", dir_.Path("kept")}}},
                       {"verification", {{"terminal_for", "1h"}}}};
    return config;
  }

  void Start(const Json& config) {
    client_.reset();
    gateway_.reset();
    gateway_.emplace(config);
    client_.emplace(Connect(gateway_->addresses()[0]));
  }

  Reply<ListDocumentTypesResponse> List(const std::string& country = "") const {
    ListDocumentTypesRequest request;
    request.set_country(country);
    return client_->Call(&ReferenceService::Stub::ListDocumentTypes, request);
  }
  std::string SourceOfList(const std::string& country = "") const {
    const auto reply = List(country);
    EXPECT_TRUE(reply.ok()) << testing::PrintToString<Outcome>(reply);
    return reply.Trailer("x-idv-cache").value_or("nothing");
  }

  // Fills a gateway's cache and ends it, and then the upstream.
  void Fill(const Json& config) {
    Start(config);
    EXPECT_EQ(SourceOfList(), "miss");
    EXPECT_EQ(gateway_->Stop(), 0);
    sandbox_.reset();
  }

  FetchResponse Readiness() const {
    const auto page = Fetcher().Fetch({.url = "http://" + gateway_->admin_address() + "/readyz"});
    EXPECT_TRUE(page.ok()) << page.status();
    return page.value_or(FetchResponse());
  }

  std::string File() const { return dir_.Path("kept/" + std::string(kTenantId) + ".snapshot"); }

  const TempDir dir_;
  std::optional<Sandbox> sandbox_{std::in_place};
  const std::string base_url_ = sandbox_->base_url();
  std::optional<Gateway> gateway_;
  std::optional<Client> client_;
};

std::string Read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_F(CacheSnapshotTest, GivesAGatewayAnswersThatStartsWhileTheUpstreamIsDown) {
  Fill(Config());

  Start(Config());

  EXPECT_EQ(SourceOfList(), "hit");
  EXPECT_GT(List().response.document_types_size(), 0);
  EXPECT_EQ(List("GH").reason(), "UPSTREAM_UNREACHABLE");
  EXPECT_EQ(Readiness().status, 200);
  EXPECT_EQ(Readiness().body, "ok\n");
}

TEST_F(CacheSnapshotTest, TellsThatTheAnswersAreStaleAndSinceWhen) {
  Fill(Config("1ms"));

  Start(Config("1ms"));

  EXPECT_EQ(SourceOfList(), "stale");
  const FetchResponse ready = Readiness();
  EXPECT_EQ(ready.status, 200);
  EXPECT_THAT(ready.body, StartsWith("ok\n"));
  EXPECT_THAT(ready.body, ContainsRegex("tenant acme: reference data is stale, the oldest of "
                                        "20[0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9:+]+"));
  EXPECT_THAT(ready.body, Not(HasSubstr("the upstream fails")));

  for (int i = 0; i < 12; ++i) EXPECT_FALSE(List("GH").ok());

  const FetchResponse failing = Readiness();
  EXPECT_EQ(failing.status, 200);
  EXPECT_THAT(failing.body, AllOf(HasSubstr("tenant acme: reference data is stale"),
                                  HasSubstr("tenant acme: the upstream fails (reads)")));
  EXPECT_EQ(SourceOfList(), "stale");
}

TEST_F(CacheSnapshotTest, IsGivenUpForWhatTheUpstreamSaysAfterwards) {
  const int port = sandbox_->port();
  Fill(Config("500ms"));
  sandbox_.emplace(std::vector<std::string>{}, port);
  Start(Config("500ms"));

  EXPECT_TRUE(WaitUntil([&] { return SourceOfList() == "stale"; }));
  EXPECT_TRUE(WaitUntil([&] { return SourceOfList() == "hit"; }));
  EXPECT_GE(sandbox_->Requests("/document-types").size(), 1U);
}

TEST_F(CacheSnapshotTest, HoldsNothingOfPersons) {
  Start(Config());
  CreateVerificationRequest create;
  create.set_external_id("test-approve-" + kMarker);
  create.set_expected_first_name(kMarker);
  create.set_expected_last_name(kMarker);
  const auto created = client_->Call(&VerificationService::Stub::CreateVerification, create);
  const std::string& id = created.response.id();
  UploadFront(*client_, id);
  Complete(*client_, id);
  EXPECT_EQ(Get(*client_, id).external_id(), "test-approve-" + kMarker);
  List();

  EXPECT_EQ(gateway_->Stop(), 0);

  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(dir_.Path("kept"))) {
    const std::string content = Read(entry.path());
    EXPECT_THAT(content, Not(HasSubstr(kMarker))) << entry.path();
    EXPECT_THAT(content, Not(HasSubstr(id))) << entry.path();
    EXPECT_THAT(content, Not(HasSubstr(kApiKey))) << entry.path();
    ++files;
  }
  EXPECT_EQ(files, 1U);
  EXPECT_THAT(Read(File()), HasSubstr("ghana_card"));
}

TEST_F(CacheSnapshotTest, ADamagedOneIsToldAndLeftOut) {
  Fill(Config());
  const std::string whole = Read(File());
  std::string changed = whole;
  changed[changed.size() / 2] ^= 1;
  for (const std::string& content :
       {std::string("nonsense"), changed, whole.substr(0, whole.size() - 1), std::string()}) {
    std::ofstream(File(), std::ios::binary | std::ios::trunc) << content;

    Start(Config());

    EXPECT_TRUE(gateway_->IsLogged(File()));
    EXPECT_EQ(List().reason(), "UPSTREAM_UNREACHABLE");
  }
}

TEST_F(CacheSnapshotTest, ADirectoryThatCannotBeUsedStopsTheStart) {
  dir_.Write("file", "");
  for (const std::string& place : {dir_.Path("file"), dir_.Path("missing/kept")}) {
    Json config = Config();
    config["cache"]["reference"]["snapshot_dir"] = place;
    const std::string file = dir_.Write("gateway.yaml", config.dump());
    for (const std::vector<std::string>& flags : {std::vector<std::string>{}, {"--check"}}) {
      const auto process = RunGateway(file, flags);

      EXPECT_EQ(process->Wait(), 2);
      EXPECT_THAT(process->Err(),
                  AllOf(HasSubstr("cache.reference.snapshot_dir: "), HasSubstr(place)));
      EXPECT_THAT(process->Out(), IsEmpty());
    }
  }
}

TEST_F(CacheSnapshotTest, CheckMakesNoDirectory) {
  const auto process = RunGateway(dir_.Write("gateway.yaml", Config().dump()), {"--check"});

  EXPECT_EQ(process->Wait(), 0) << process->Err();
  EXPECT_FALSE(std::filesystem::exists(dir_.Path("kept")));
}

}  // namespace
}  // namespace idv::e2e
