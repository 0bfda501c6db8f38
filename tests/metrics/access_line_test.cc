#include "metrics/access_line.h"

#include <gmock/gmock.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

namespace idv {
namespace {

using Json = nlohmann::ordered_json;
using Stretch = CallRecord::Stretch;
using std::chrono::microseconds;
using std::chrono::milliseconds;

const auto kTime = std::chrono::system_clock::time_point(milliseconds(1795781730'123));

Json LineOf(const CallRecord& record, const std::string& trace_id = "") {
  return Json::parse(AccessLine(record, "package.Service/Method", trace_id, kTime));
}

TEST(AccessLineTest, SaysWhatACallWas) {
  CallRecord record;
  record.ended = record.began + microseconds(12'345);
  record.stretches = {
      {.kind = Stretch::Kind::kReceive, .began = {}, .ended = record.began + milliseconds(1)},
      {.kind = Stretch::Kind::kWait, .began = {}, .ended = record.began + milliseconds(2)},
      {.kind = Stretch::Kind::kUpstream, .began = {}, .ended = record.began + milliseconds(3)},
      {.kind = Stretch::Kind::kUpstream, .began = {}, .ended = record.began + milliseconds(4)}};
  record.request_id = "r-1";
  record.caller = "spiffe://cluster/sa/app";
  record.tenant = "acme";
  record.priority = "batch";
  record.code = 14;
  record.reason = "UPSTREAM_UNAVAILABLE";
  record.blame = "vendor";
  record.http_status = 503;
  record.attempts = 2;
  record.cache = "miss";
  record.received_messages = 1;
  record.received_bytes = 38;
  record.sent_bytes = 7;

  EXPECT_EQ(LineOf(record, "0af7651916cd43dd8448eb211c80319c").dump(),
            R"({"time":"2026-11-27T12:15:30.123Z","level":"info","message":"call",)"
            R"("request_id":"r-1","trace_id":"0af7651916cd43dd8448eb211c80319c",)"
            R"("caller":"spiffe://cluster/sa/app","tenant":"acme","priority":"batch",)"
            R"("method":"package.Service/Method","code":"Unavailable",)"
            R"("reason":"UPSTREAM_UNAVAILABLE","blame":"vendor","http_status":503,)"
            R"("duration_ms":12.345,"gateway_ms":2.345,)"
            R"("receive_ms":1.0,"wait_ms":2.0,"upstream_ms":7.0,"attempts":2,"cache":"miss",)"
            R"("received_messages":1,"received_bytes":38,"sent_bytes":7})");
}

TEST(AccessLineTest, LeavesOutWhatThereIsNot) {
  EXPECT_EQ(LineOf({}).dump(),
            R"({"time":"2026-11-27T12:15:30.123Z","level":"info","message":"call",)"
            R"("method":"package.Service/Method","code":"OK","duration_ms":0.0,)"
            R"("gateway_ms":0.0,"attempts":0})");
}

TEST(AccessLineTest, IsOneLineOfJsonWhateverACallerIsCalled) {
  CallRecord record;
  record.caller = "CN=\"a\\b\"\n\x01,O=\xc3\xbc\xff";
  const std::string line = AccessLine(record, "package.Service/Method", "", kTime);

  EXPECT_THAT(line, testing::Not(testing::HasSubstr("\n")));
  EXPECT_EQ(Json::parse(line)["caller"], "CN=\"a\\b\"\n\x01,O=\xc3\xbc\xef\xbf\xbd");
}

TEST(AccessLineTest, WritesTimesOfAnyMillisecond) {
  EXPECT_EQ(LogTime(kTime + milliseconds(877)), "2026-11-27T12:15:31.000Z");
  EXPECT_EQ(LogTime(kTime - milliseconds(122)), "2026-11-27T12:15:30.001Z");
}

}  // namespace
}  // namespace idv
