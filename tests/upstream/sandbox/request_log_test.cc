#include "upstream/sandbox/request_log.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/upstream/sandbox/caller.h"

namespace idv::sandbox {
namespace {

using namespace std::chrono_literals;

std::shared_ptr<const RequestHead> Head(const std::string& path) {
  return std::make_shared<RequestHead>(
      RequestHead{"GET", path, "a=1", {{"accept", "x"}, {"via", "1"}, {"via", "2"}}});
}

TEST(RequestLogTest, ShowsARequestFromItsHeaderOn) {
  RequestLog log;

  log.Begin(Head("/health"), StartOfTest());

  EXPECT_EQ(log.ToJson("")["requests"], Json::parse(R"([{"id":1,"method":"GET","path":"/health",
      "query":"a=1","headers":{"accept":"x","via":"1, 2"},"body_bytes":0,"body_sha256":"",
      "body_complete":false,"outcome":"pending","received_at_ms":1767323045000}])"));
}

TEST(RequestLogTest, ShowsTheAnswer) {
  RequestLog log;
  const auto id = log.Begin(Head("/health"), StartOfTest());

  log.AddBody(id, 3);
  log.AddBody(id, 4);
  log.EndBody(id, "abc", true);
  log.Answered(id, 201, StartOfTest() + 5ms);

  const Json entry = log.ToJson("")["requests"][0];
  EXPECT_EQ(entry["body_bytes"], 7);
  EXPECT_EQ(entry["body_sha256"], "abc");
  EXPECT_EQ(entry["body_complete"], true);
  EXPECT_EQ(entry["outcome"], "answered");
  EXPECT_EQ(entry["status"], 201);
  EXPECT_EQ(entry["ended_at_ms"], 1767323045005);
}

TEST(RequestLogTest, ShowsThatTheClientWentAway) {
  RequestLog log;
  const auto id = log.Begin(Head("/health"), StartOfTest());

  log.EndBody(id, "abc", false);
  log.Aborted(id, StartOfTest() + 5ms);

  const Json entry = log.ToJson("")["requests"][0];
  EXPECT_EQ(entry["outcome"], "aborted");
  EXPECT_EQ(entry["body_complete"], false);
  EXPECT_EQ(entry["ended_at_ms"], 1767323045005);
  EXPECT_FALSE(entry.contains("status"));
}

TEST(RequestLogTest, KeepsTheNewestAndIgnoresNewsOfTheRest) {
  RequestLog log(2);
  const auto first = log.Begin(Head("/1"), StartOfTest());
  log.Begin(Head("/2"), StartOfTest());
  const auto third = log.Begin(Head("/3"), StartOfTest());

  log.Answered(first, 500, StartOfTest());
  log.Answered(third, 200, StartOfTest());

  const Json requests = log.ToJson("")["requests"];
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[0]["path"], "/2");
  EXPECT_EQ(requests[0]["outcome"], "pending");
  EXPECT_EQ(requests[1]["path"], "/3");
  EXPECT_EQ(requests[1]["status"], 200);
}

TEST(RequestLogTest, ForgetsEverythingAndIgnoresNewsOfIt) {
  RequestLog log;
  const auto before = log.Begin(Head("/before"), StartOfTest());

  log.Clear();
  const auto after = log.Begin(Head("/after"), StartOfTest());
  log.Answered(before, 500, StartOfTest());

  EXPECT_NE(before, after);
  const Json requests = log.ToJson("")["requests"];
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0]["path"], "/after");
  EXPECT_EQ(requests[0]["outcome"], "pending");
}

TEST(RequestLogTest, FiltersByThePathWholeOrBelowTheBase) {
  RequestLog log;
  log.Begin(Head("/api/v1/idv/alerts"), StartOfTest());
  log.Begin(Head("/api/v1/verifications"), StartOfTest());

  EXPECT_EQ(log.ToJson("/alerts")["requests"].size(), 1U);
  EXPECT_EQ(log.ToJson("/api/v1/idv/alerts")["requests"].size(), 1U);
  EXPECT_EQ(log.ToJson("/api/v1")["requests"].size(), 2U);
  EXPECT_EQ(log.ToJson("/other")["requests"], Json::array());
}

}  // namespace
}  // namespace idv::sandbox
