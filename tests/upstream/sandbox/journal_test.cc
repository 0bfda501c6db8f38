#include "upstream/sandbox/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "tests/upstream/sandbox/caller.h"
#include "upstream/sandbox/record_state.h"
#include "upstream/sandbox/verification_view.h"
#include "upstream/sandbox/views.h"

namespace idv::sandbox {
namespace {

using testing::Optional;

class JournalTest : public testing::Test {
 protected:
  ~JournalTest() override { unlink(file_.c_str()); }

  // Makes a verification and takes it through everything that there is before its decision.
  std::string Fill(const std::string& external_id) {
    NewVerification request{.external_id = external_id, .tier = "enhanced"};
    request.callback_url = "http://kyc.test/";
    request.expected_first_name = "Zoë";
    request.metadata = Json::parse(R"({"z":[1,null],"a":{"b":true}})");
    const std::string id = store_.Create(kTenant, std::move(request), now_)->id;
    const Ref ref{kTenant, id, now_};
    store_.AddDocument(ref, "ghana_card", "GH");
    store_.AddDocumentBack(ref);
    store_.AddSelfie(ref);
    store_.StartLiveness(ref);
    store_.AddChallenge(ref, "blink");
    return id;
  }

  std::string Decide(const std::string& external_id) {
    const std::string id = Fill(external_id);
    store_.Complete({kTenant, id, now_}, {{"smile", true, true}});
    return id;
  }

  std::string FileText() const {
    std::ostringstream text;
    text << std::ifstream(file_).rdbuf();
    return text.str();
  }
  std::ptrdiff_t Lines() const {
    const std::string text = FileText();
    return std::count(text.begin(), text.end(), '\n');
  }

  // What a caller sees of everything.
  static Json Seen(Store& store) {
    const Changes all = store.All();
    return {VerificationsJson(all.verifications), AlertsJson(all.alerts)};
  }

  const std::string file_ = testing::TempDir() + "/journal-" + std::to_string(getpid());
  Store store_{CountingIds()};
  Time now_ = StartOfTest();
};

TEST_F(JournalTest, BringsBackEveryRecordAsItWas) {
  {
    Journal journal;
    ASSERT_EQ(journal.Open(file_, store_), std::nullopt);
    Fill("pending");
    for (const char* const external_id : {"test-approve-1", "test-reject-1", "test-fraud-1",
                                          "test-review-1", "test-slow-1", "test-expired-1"}) {
      now_ += std::chrono::nanoseconds(1'000'001);
      Decide(external_id);
    }
    const std::string reviewed = Decide("test-review-2");
    journal.Write(store_.TakeChanges());
    store_.Decide({kTenant, reviewed, now_}, {ReviewDecision::kApprove, "rev-1", "fine"});
    store_.Resolve({kTenant, store_.Alerts(kTenant, {})[0]->id, now_},
                   {"dismissed", "rev-1", "no"});
    journal.Write(store_.TakeChanges());
  }

  Store other(CountingIds());
  Journal journal;
  ASSERT_EQ(journal.Open(file_, other), std::nullopt);

  EXPECT_EQ(Seen(other), Seen(store_));
  EXPECT_EQ(Seen(other)[0]["total"], 8);
  EXPECT_EQ(other.OfSubject(kTenant, "pending", now_).size(), 1U);
  EXPECT_EQ(other.TakeChanges().verifications.size(), 0U);
  // What happens by itself goes on, and attempts are counted on.
  now_ += std::chrono::seconds(10);
  EXPECT_EQ(other.OfSubject(kTenant, "test-slow-1", now_)[0]->status, Status::kVerified);
  EXPECT_EQ(other.Create(kTenant, {.external_id = "pending"}, now_)->attempt, 2);
}

TEST_F(JournalTest, StartsWithOneLineARecord) {
  {
    Journal journal;
    journal.Open(file_, store_);
    const std::string id = Fill("x");
    for (int i = 0; i < 10; ++i) {
      store_.AddSelfie({kTenant, id, now_});
      journal.Write(store_.TakeChanges());
    }
  }
  EXPECT_EQ(Lines(), 11);

  Store other(CountingIds());
  Journal journal;
  ASSERT_EQ(journal.Open(file_, other), std::nullopt);

  EXPECT_EQ(Lines(), 2);
  EXPECT_EQ(Seen(other), Seen(store_));
}

TEST_F(JournalTest, LeavesOutALineWithoutAnEnd) {
  {
    Journal journal;
    journal.Open(file_, store_);
    Fill("x");
    journal.Write(store_.TakeChanges());
  }
  std::ofstream(file_, std::ios::app) << R"({"verification":{"id":"y)";

  Store other(CountingIds());
  Journal journal;
  ASSERT_EQ(journal.Open(file_, other), std::nullopt);

  EXPECT_EQ(Seen(other), Seen(store_));
}

TEST_F(JournalTest, RefusesABrokenFileAndLeavesItAlone) {
  const std::string head = "{\"kind\":\"idv-sandbox state\",\"version\":1}\n";
  for (const auto& [text, problem] : std::vector<std::pair<std::string, std::string>>{
           {"my letters\n", "is no state of idv-sandbox"},
           {"\n", "is no state of idv-sandbox"},
           {head + "nonsense\n", "line 2 is no record"},
           {head + "{}\n", "line 2 is no record"},
           {head + "{\"verification\":{\"id\":\"x\"}}\n", "line 2 is no record"},
           {head + "{\"alert\":[]}\n", "line 2 is no record"}}) {
    std::ofstream(file_) << text;
    Store store(CountingIds());
    Journal journal;

    EXPECT_THAT(journal.Open(file_, store), Optional(problem)) << text;
    EXPECT_EQ(FileText(), text);
  }
}

TEST_F(JournalTest, RefusesAStatusThatThereIsNot) {
  Fill("x");
  Json state = StateJson(*store_.All().verifications[0]);
  ASSERT_TRUE(ReadVerification(state));

  state["status"] = 17;

  EXPECT_FALSE(ReadVerification(state));
}

TEST_F(JournalTest, IsForOneSandboxAtATime) {
  Journal journal;
  ASSERT_EQ(journal.Open(file_, store_), std::nullopt);
  Store other(CountingIds());
  Journal second;

  EXPECT_THAT(second.Open(file_, other), Optional(std::string("another sandbox uses it")));
  EXPECT_THAT(second.Open("/no/such/directory/file", other),
              Optional(std::string("No such file or directory")));
}

TEST_F(JournalTest, ForgetsWhatIsCleared) {
  Journal journal;
  journal.Open(file_, store_);
  Fill("x");
  journal.Write(store_.TakeChanges());

  journal.Clear();
  EXPECT_EQ(Lines(), 1);
  Fill("y");
  journal.Write(store_.TakeChanges());

  EXPECT_THAT(FileText(), testing::EndsWith("}}\n"));
}

}  // namespace
}  // namespace idv::sandbox
