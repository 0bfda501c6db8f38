#include "upstream/sandbox/store.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "tests/upstream/sandbox/caller.h"

namespace idv::sandbox {
namespace {

using namespace std::chrono_literals;

class StoreTest : public testing::Test {
 protected:
  std::string Create(const std::string& external_id) {
    return store_.Create(kTenant, {.external_id = external_id, .tier = "standard"}, now_)->id;
  }

  Ref At(const std::string& id, const char* tenant = kTenant) { return {tenant, id, now_}; }

  Status StatusOf(const std::string& id) { return store_.Find(At(id))->status; }

  std::string Decided(const std::string& external_id) {
    std::string id = Create(external_id);
    store_.AddDocument(At(id), "ghana_card", std::nullopt);
    store_.Complete(At(id), {});
    return id;
  }

  Store store_{CountingIds()};
  Time now_ = StartOfTest();
};

struct Operation {
  const char* name;
  std::function<Answer<Verification>(Store&, const Ref&)> run;
};

std::vector<Operation> Operations() {
  return {
      {"document", [](Store& s, const Ref& r) { return s.AddDocument(r, "t", std::nullopt); }},
      {"back", [](Store& s, const Ref& r) { return s.AddDocumentBack(r); }},
      {"selfie", [](Store& s, const Ref& r) { return s.AddSelfie(r); }},
      {"session", [](Store& s, const Ref& r) { return s.StartLiveness(r); }},
      {"challenge", [](Store& s, const Ref& r) { return s.AddChallenge(r, "blink"); }},
      {"frames", [](Store& s, const Ref& r) { return s.AddFrames(r, std::nullopt); }},
      {"complete", [](Store& s, const Ref& r) { return s.Complete(r, {}); }},
  };
}

TEST_F(StoreTest, RefusesEveryUploadFromCompletionOn) {
  for (const char* const external_id :
       {"test-approve-1", "test-reject-1", "test-fraud-1", "test-review-1", "test-slow-1"}) {
    const std::string id = Decided(external_id);
    for (const Operation& operation : Operations()) {
      const auto answer = operation.run(store_, At(id));

      ASSERT_FALSE(answer.ok()) << external_id << " " << operation.name;
      EXPECT_EQ(answer.refusal(), Refusal::kInvalidState) << external_id << " " << operation.name;
    }
  }
}

TEST_F(StoreTest, RefusesEveryUploadAfterTheLifetime) {
  const std::string id = Create("anyone");
  store_.AddDocument(At(id), "ghana_card", std::nullopt);
  now_ += 24h;

  for (const Operation& operation : Operations()) {
    const auto answer = operation.run(store_, At(id));
    ASSERT_FALSE(answer.ok()) << operation.name;
    EXPECT_EQ(answer.refusal(), Refusal::kExpired) << operation.name;
  }
  EXPECT_EQ(StatusOf(id), Status::kExpired);
}

TEST_F(StoreTest, HidesTheRecordsOfAnotherTenantFromEveryOperation) {
  const std::string id = Create("anyone");
  store_.AddDocument(At(id), "ghana_card", std::nullopt);
  store_.StartLiveness(At(id));

  for (const Operation& operation : Operations()) {
    const auto answer = operation.run(store_, At(id, kOtherTenant));
    ASSERT_FALSE(answer.ok()) << operation.name;
    EXPECT_EQ(answer.refusal(), Refusal::kNotFound) << operation.name;
  }
  EXPECT_FALSE(store_.Find(At(id, kOtherTenant)).ok());
  EXPECT_TRUE(store_.OfSubject(kOtherTenant, "anyone", now_).empty());
}

TEST_F(StoreTest, DemandsADocumentBeforeBackSelfieAndCompletion) {
  for (const char* const name : {"back", "selfie", "complete"}) {
    const std::string id = Create("anyone");
    for (const Operation& operation : Operations()) {
      if (operation.name != std::string(name)) continue;
      const auto answer = operation.run(store_, At(id));
      ASSERT_FALSE(answer.ok()) << name;
      EXPECT_EQ(answer.refusal(), Refusal::kDocumentRequired) << name;
    }
  }
}

TEST_F(StoreTest, LivesUntilTheLastMomentOfItsLifetime) {
  const std::string id = Create("anyone");

  now_ += 24h - 1us;
  EXPECT_EQ(StatusOf(id), Status::kPending);
  now_ += 1us;
  EXPECT_EQ(StatusOf(id), Status::kExpired);
  EXPECT_EQ(store_.Find(At(id))->updated_at, StartOfTest() + 24h);
}

TEST_F(StoreTest, DecidesByThePrefixOfTheExternalId) {
  struct Row {
    const char* external_id;
    Status status;
    const char* decision;
  };
  const std::vector<Row> rows = {{"test-approve-1", Status::kVerified, "auto_approve"},
                                 {"test-reject-1", Status::kRejected, "auto_reject"},
                                 {"test-fraud-1", Status::kRejected, "auto_reject"},
                                 {"test-review-1", Status::kManualReview, "manual_review"},
                                 {"test-expired-1", Status::kVerified, "auto_approve"},
                                 {"test-slow-1", Status::kProcessing, ""},
                                 {"customer-7", Status::kVerified, "auto_approve"}};
  for (const Row& row : rows) {
    const auto verification = store_.Find(At(Decided(row.external_id)));

    EXPECT_EQ(verification->status, row.status) << row.external_id;
    EXPECT_EQ(verification->decision, row.decision) << row.external_id;
  }
}

TEST_F(StoreTest, KeepsASlowOneProcessingForTenSeconds) {
  const std::string id = Decided("test-slow-1");

  now_ += 10s - 1us;
  EXPECT_EQ(StatusOf(id), Status::kProcessing);

  now_ += 1min;
  const auto verification = store_.Find(At(id));
  EXPECT_EQ(verification->status, Status::kVerified);
  EXPECT_EQ(verification->verified_at, StartOfTest() + 10s);
  EXPECT_EQ(verification->completed_at, StartOfTest() + 10s);
  EXPECT_EQ(verification->submitted_at, StartOfTest());
}

TEST_F(StoreTest, LetsAnApprovalExpireASecondLater) {
  const std::string id = Decided("test-expired-1");

  now_ += 1s - 1us;
  EXPECT_EQ(StatusOf(id), Status::kVerified);
  now_ += 1us;
  EXPECT_EQ(StatusOf(id), Status::kExpired);
  EXPECT_EQ(store_.Find(At(id))->decision, "auto_approve");
}

TEST_F(StoreTest, AppliesWhatHappenedMeanwhileToASubjectsList) {
  Decided("test-slow-1");
  now_ += 10s;

  const auto list = store_.OfSubject(kTenant, "test-slow-1", now_);

  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0]->status, Status::kVerified);
}

TEST_F(StoreTest, ListsASubjectsVerificationsNewestFirst) {
  const std::string first = Create("anyone");
  Create("somebody else");
  now_ += 1s;
  const std::string second = Create("anyone");

  const auto list = store_.OfSubject(kTenant, "anyone", now_);

  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0]->id, second);
  EXPECT_EQ(list[1]->id, first);
}

TEST_F(StoreTest, CountsTheAttemptsOfASubjectPerDay) {
  EXPECT_EQ(store_.Find(At(Create("anyone")))->attempt, 1);
  EXPECT_EQ(store_.Find(At(Create("anyone")))->attempt, 2);
  EXPECT_EQ(store_.Find(At(Create("somebody else")))->attempt, 1);
  now_ += 24h;
  EXPECT_EQ(store_.Find(At(Create("anyone")))->attempt, 1);
}

TEST_F(StoreTest, RefusesASubjectTheSixthVerificationOfADay) {
  for (int attempt = 1; attempt <= 5; ++attempt) Create("anyone");

  EXPECT_EQ(store_.Create(kTenant, {.external_id = "anyone"}, now_), nullptr);
  EXPECT_NE(store_.Create(kTenant, {.external_id = "somebody else"}, now_), nullptr);
  EXPECT_NE(store_.Create(kOtherTenant, {.external_id = "anyone"}, now_), nullptr);
  EXPECT_EQ(store_.OfSubject(kTenant, "anyone", now_).size(), 5U);
  now_ = std::chrono::ceil<std::chrono::days>(now_) - 1us;
  EXPECT_EQ(store_.Create(kTenant, {.external_id = "anyone"}, now_), nullptr);
  now_ += 1us;
  EXPECT_EQ(store_.Find(At(Create("anyone")))->attempt, 1);
}

TEST_F(StoreTest, MakesAnyNumberOfVerificationsWithoutACap) {
  Store store(CountingIds(), 0);
  for (int attempt = 1; attempt <= 20; ++attempt) {
    EXPECT_EQ(store.Create(kTenant, {.external_id = "anyone"}, now_)->attempt, attempt);
  }
}

TEST_F(StoreTest, ReviewsOnlyWhatWaitsForAReviewAndOnlyOnce) {
  const Review approve{ReviewDecision::kApprove, "rev-1", "fine"};
  for (const char* const external_id : {"test-approve-1", "test-reject-1", "test-slow-1"}) {
    EXPECT_EQ(store_.Decide(At(Decided(external_id)), approve).refusal(), Refusal::kInvalidState)
        << external_id;
  }
  EXPECT_EQ(store_.Decide(At(Create("test-review-0")), approve).refusal(), Refusal::kInvalidState);

  const std::string id = Decided("test-review-1");
  EXPECT_FALSE(store_.Find(At(id))->completed_at);
  now_ += 1h;
  const auto reviewed = store_.Decide(At(id), approve);
  ASSERT_TRUE(reviewed.ok());
  EXPECT_EQ(reviewed->status, Status::kVerified);
  EXPECT_EQ(reviewed->decision, "approve");
  EXPECT_EQ(reviewed->reviewed_by, "rev-1");
  EXPECT_EQ(reviewed->review_notes, "fine");
  EXPECT_EQ(reviewed->verified_at, now_);
  EXPECT_EQ(store_.Decide(At(id), approve).refusal(), Refusal::kInvalidState);
}

TEST_F(StoreTest, RejectsByReview) {
  const std::string id = Decided("test-review-1");

  const auto reviewed = store_.Decide(At(id), {ReviewDecision::kReject, "rev-1", std::nullopt});

  ASSERT_TRUE(reviewed.ok());
  EXPECT_EQ(reviewed->status, Status::kRejected);
  EXPECT_EQ(reviewed->decision, "reject");
  EXPECT_FALSE(reviewed->verified_at);
  EXPECT_EQ(reviewed->completed_at, now_);
}

TEST_F(StoreTest, RaisesAnAlertForFraudAloneAndResolvesItOnce) {
  Decided("test-approve-1");
  Decided("test-reject-1");
  const std::string id = Decided("test-fraud-1");

  const auto open = store_.Alerts(kTenant, "open");
  ASSERT_EQ(open.size(), 1U);
  EXPECT_EQ(open[0]->verification_id, id);
  EXPECT_TRUE(store_.Alerts(kOtherTenant, std::nullopt).empty());
  const std::string alert = open[0]->id;

  EXPECT_EQ(store_.Resolve(At(alert, kOtherTenant), {"dismissed", "rev-1", {}}).refusal(),
            Refusal::kNotFound);
  const auto resolved = store_.Resolve(At(alert), {"dismissed", "rev-1", "same person"});
  ASSERT_TRUE(resolved.ok());
  EXPECT_EQ(resolved->status, "dismissed");
  EXPECT_EQ(resolved->resolved_by, "rev-1");
  EXPECT_EQ(store_.Resolve(At(alert), {"confirmed", "rev-2", {}}).refusal(),
            Refusal::kInvalidState);
  EXPECT_TRUE(store_.Alerts(kTenant, "open").empty());
  EXPECT_EQ(store_.Alerts(kTenant, "dismissed").size(), 1U);
  EXPECT_EQ(store_.Alerts(kTenant, std::nullopt).size(), 1U);
}

TEST_F(StoreTest, PassesALivenessSessionChallengeByChallenge) {
  const std::string id = Create("anyone");
  EXPECT_EQ(store_.AddChallenge(At(id), "blink").refusal(), Refusal::kNoSession);
  EXPECT_EQ(store_.AddFrames(At(id), std::nullopt).refusal(), Refusal::kNoSession);

  EXPECT_EQ(store_.StartLiveness(At(id))->GetLiveness().Remaining(), 3U);
  EXPECT_EQ(store_.AddChallenge(At(id), "smile").refusal(), Refusal::kNotInSession);
  EXPECT_EQ(store_.AddChallenge(At(id), "blink")->GetLiveness().Remaining(), 2U);
  EXPECT_EQ(store_.AddChallenge(At(id), "blink")->GetLiveness().Remaining(), 2U);
  EXPECT_EQ(store_.AddFrames(At(id), std::nullopt)->GetLiveness().Remaining(), 2U);
  EXPECT_EQ(store_.AddFrames(At(id), "turn_left")->GetLiveness().Remaining(), 1U);
  EXPECT_TRUE(store_.AddChallenge(At(id), "turn_right")->GetLiveness().Passed());

  const std::string session = store_.Find(At(id))->GetLiveness().id;
  EXPECT_NE(store_.StartLiveness(At(id))->GetLiveness().id, session);
  EXPECT_EQ(store_.Find(At(id))->GetLiveness().Remaining(), 3U);
}

TEST_F(StoreTest, RemembersWhichImagesCameButNoneBefore) {
  const std::string id = Create("anyone");
  EXPECT_TRUE(store_.Find(At(id))->images.none());

  store_.AddDocument(At(id), "ghana_card", "GH");
  store_.AddDocumentBack(At(id));
  store_.AddSelfie(At(id));
  store_.StartLiveness(At(id));
  store_.AddChallenge(At(id), "blink");
  store_.AddFrames(At(id), std::nullopt);
  const auto verification =
      store_.Complete(At(id), {{"smile", true, true}, {"nod_up", true, false}});

  for (const char* const type : {"document_front", "document_back", "selfie", "liveness_blink",
                                 "liveness_frame", "liveness_smile"}) {
    EXPECT_TRUE(verification->HasImage(type)) << type;
  }
  for (const char* const type : {"liveness_nod_up", "liveness_turn_left", "nonsense"}) {
    EXPECT_FALSE(verification->HasImage(type)) << type;
  }
}

TEST_F(StoreTest, ReplacesADocumentByALaterOne) {
  const std::string id = Create("anyone");
  const std::string first = store_.AddDocument(At(id), "ghana_card", "GH")->GetDocument().id;

  const auto second = store_.AddDocument(At(id), "ke_id", std::nullopt);

  EXPECT_NE(second->GetDocument().id, first);
  EXPECT_EQ(second->GetDocument().type, "ke_id");
  EXPECT_FALSE(second->GetDocument().country);
}

TEST_F(StoreTest, KnowsTheExternalIdBehindEveryId) {
  const std::string id = Decided("test-fraud-1");

  EXPECT_EQ(*store_.ExternalIdOf(id), "test-fraud-1");
  EXPECT_EQ(*store_.ExternalIdOf(store_.Alerts(kTenant, std::nullopt)[0]->id), "test-fraud-1");
  EXPECT_EQ(store_.ExternalIdOf("unknown"), nullptr);
}

}  // namespace
}  // namespace idv::sandbox
