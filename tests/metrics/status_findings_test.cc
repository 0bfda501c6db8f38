#include "metrics/status_findings.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_replace.h>

#include <nlohmann/json.hpp>
#include <string>

#include "metrics/human_text.h"

namespace idv {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

nlohmann::json With(const char* text) {
  auto status = nlohmann::json::parse(text);
  status["now"] = "2026-03-01T03:12:45Z";
  return status;
}

StatusFindings FindingsOf(const char* text) { return FindingsIn(With(text)); }

TEST(StatusFindingsTest, FindNothingInAnEmptyDocument) {
  for (const nlohmann::json& status : {nlohmann::json(), nlohmann::json::object()}) {
    const StatusFindings findings = FindingsIn(status);
    for (const Findings& of : {findings.us, findings.vendor, findings.caller}) {
      EXPECT_THAT(of.trouble, IsEmpty());
      EXPECT_THAT(of.lately, IsEmpty());
    }
  }
}

TEST(StatusFindingsTest, PutKeysDownToUs) {
  const auto findings = FindingsOf(R"({"tenants":[
      {"name":"a","key":{"state":"rejected"}},{"name":"b","key":{"state":"missing"}},
      {"name":"c","key":{"state":"usable"}},{"name":"d"}]})");
  EXPECT_THAT(findings.us.trouble,
              ElementsAre("The vendor refuses the API key of a", "No usable API key for b"));
  EXPECT_THAT(findings.vendor.trouble, IsEmpty());
  EXPECT_THAT(findings.caller.trouble, IsEmpty());
}

TEST(StatusFindingsTest, PutBreakersDownToTheVendor) {
  const auto findings = FindingsOf(R"({"tenants":[
      {"name":"a","breakers":{"read":"open","write":"half open","upload":"closed"}},
      {"name":"b","breakers":{"read":"closed"}}]})");
  EXPECT_THAT(findings.us.trouble, IsEmpty());
  EXPECT_THAT(findings.vendor.trouble,
              ElementsAre("The breaker is not closed for a (read open, write half open)"));
}

TEST(StatusFindingsTest, PutASpentBudgetDownToCallersOnceCallsWait) {
  const auto findings = FindingsOf(R"({"tenants":[
      {"name":"a","budget":{"limit":10,"remaining":0,"waiting":2}},
      {"name":"b","budget":{"limit":10,"remaining":0,"waiting":0}},
      {"name":"c","budget":{"limit":10,"remaining":4,"waiting":2}},
      {"name":"d","budget":{"unlimited":true,"waiting":2}}]})");
  EXPECT_THAT(findings.caller.trouble, ElementsAre("The allowance is spent and calls wait for a"));
}

TEST(StatusFindingsTest, NameThreeTenantsOfMany) {
  nlohmann::json status;
  for (int i = 0; i < 12; ++i) {
    status["tenants"].push_back({{"name", absl::StrCat("t", i)}, {"key", {{"state", "missing"}}}});
  }
  EXPECT_THAT(FindingsIn(status).us.trouble,
              ElementsAre("No usable API key for t0, t1, t2 and 9 more"));
}

TEST(StatusFindingsTest, FindWhatIsWrongWithTheProcess) {
  const auto findings = FindingsOf(R"({
      "shards":[{"index":0,"stalled":false},{"index":1,"stalled":true},{"index":2}],
      "calls":{"in_flight":1800,"in_flight_limit":2000},
      "streams":{"upload_memory":89,"upload_memory_limit":100},
      "certificates":[{"name":"near","expires_at":"2026-03-15T03:12:44Z"},
                      {"name":"far","expires_at":"2026-03-15T03:12:45Z"},
                      {"name":"past","expires_at":"2026-03-01T03:12:45Z"},{"name":"unknown"}]})");
  EXPECT_THAT(findings.us.trouble,
              ElementsAre("Stalled: shard 1",
                          "The number of calls in flight is at its limit, or close to it",
                          absl::StrCat("near expires in ", DurationText(absl::Hours(13 * 24 + 23))),
                          "past has expired"));
}

TEST(StatusFindingsTest, SayNotReadyWhenNothingElseExplainsIt) {
  EXPECT_THAT(FindingsOf(R"({"ready":false})").us.trouble,
              ElementsAre("It is not ready, for what /readyz says"));
  EXPECT_THAT(FindingsOf(R"({"ready":false,"shards":[{"index":7,"stalled":true}]})").us.trouble,
              ElementsAre("Stalled: shard 7"));
  EXPECT_THAT(FindingsOf(R"({"ready":false,"draining":true})").us.trouble, IsEmpty());
  EXPECT_THAT(FindingsOf(R"({"ready":true})").us.trouble, IsEmpty());
}

TEST(StatusFindingsTest, PutTheErrorsOfTheLastFiveMinutesDownToTheBlamed) {
  const auto findings = FindingsOf(R"({"errors":[
      {"reason":"A","blame":"us","last_at":"2026-03-01T03:12:45Z"},
      {"reason":"B","blame":"vendor","last_at":"2026-03-01T03:07:45Z"},
      {"reason":"C","blame":"caller","last_at":"2026-03-01T03:12:44Z"},
      {"reason":"D","blame":"vendor","last_at":"2026-03-01T03:07:44Z"},
      {"reason":"E","blame":"nobody","last_at":"2026-03-01T03:12:45Z"},
      {"reason":"F","blame":"us"}]})");
  EXPECT_THAT(findings.us.lately, ElementsAre("A just now"));
  EXPECT_THAT(findings.vendor.lately, ElementsAre("B 5\u00a0min\u00a0ago"));
  EXPECT_THAT(findings.caller.lately, ElementsAre("C 1\u00a0s\u00a0ago"));
  EXPECT_THAT(findings.us.trouble, IsEmpty());
}

}  // namespace
}  // namespace idv
