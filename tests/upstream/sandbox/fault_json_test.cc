#include "upstream/sandbox/fault_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

namespace idv::sandbox {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(FaultJsonTest, ReadsWhatItWrites) {
  for (
      const char* const text :
      {R"({"kind":"hang"})",
       R"({"kind":"latency","path_prefix":"/a","method":"GET","external_id_prefix":"x","milliseconds":200,"times":3})",
       R"({"kind":"latency","milliseconds":0})",
       R"({"kind":"html","endpoint":"POST /verifications/*/selfie","tenant_id":"t","probability":0.5,"seed":7,"for":"1500ms"})",
       R"({"kind":"status","status":503})",
       R"({"kind":"status","status":302,"content_type":"text/plain","headers":{"Location":"/"},"body":"go","early":true})",
       R"({"kind":"unauthorized","until_key":"k"})",
       R"({"kind":"length_required"})",
       R"({"kind":"reset","at":"request_header"})",
       R"({"kind":"reset","at":"request_body"})",
       R"({"kind":"close","at":"before_answer"})",
       R"({"kind":"close","at":"during_answer"})",
       R"({"kind":"reset","at":"after_answer"})",
       R"({"kind":"half_json"})",
       R"({"kind":"wrong_types"})",
       R"({"kind":"unknown_keys"})",
       R"({"kind":"unknown_enums"})",
       R"({"kind":"large_header","bytes":1000000})",
       R"({"kind":"gzip_bomb","bytes":1073741824})",
       R"({"kind":"endless"})",
       R"({"kind":"endless","bytes_per_second":10})",
       R"({"kind":"slow_reading","bytes_per_second":1})",
       R"({"kind":"slow_writing","bytes_per_second":1})"}) {
    const auto parsed = ParseFaultText(text);
    ASSERT_TRUE(std::holds_alternative<Fault>(parsed)) << text << std::get<std::string>(parsed);

    Json json = FaultJson(std::get<Fault>(parsed));
    json.erase("id");
    EXPECT_EQ(json.dump(), text);
  }
}

TEST(FaultJsonTest, ChoosesASeedThatIsTold) {
  const auto parsed = ParseFaultText(R"({"kind":"hang","probability":0.5})");

  EXPECT_TRUE(FaultJson(std::get<Fault>(parsed)).contains("seed"));
}

TEST(FaultJsonTest, NamesEverythingThatIsWrong) {
  struct Row {
    const char* json;
    std::vector<std::string> problems;
  };
  const std::vector<Row> rows = {
      {"", {"JSON object"}},
      {"[]", {"JSON object"}},
      {"{}", {"kind must be one of latency, hang, status"}},
      {R"({"kind":"explode"})", {"kind must be one of"}},
      {R"({"kind":"latency"})", {"latency needs milliseconds"}},
      {R"({"kind":"latency","milliseconds":-1})", {"milliseconds must be"}},
      {R"({"kind":"latency","milliseconds":1.5})", {"milliseconds must be"}},
      {R"({"kind":"latency","milliseconds":86400001})", {"milliseconds must be"}},
      {R"({"kind":"hang","milliseconds":5})", {"hang takes no milliseconds"}},
      {R"({"kind":"hang","times":0})", {"times must be"}},
      {R"({"kind":"hang","method":1})", {"method must be a text"}},
      {R"({"kind":"hang","delay":1,"path":"/x"})", {"unknown key delay", "unknown key path"}},
      {R"({"kind":"hang","endpoint":"POST /x"})", {"endpoint must be a method and a path"}},
      {R"({"kind":"hang","probability":0})", {"probability must be a number over 0"}},
      {R"({"kind":"hang","probability":1.1})", {"probability must be"}},
      {R"({"kind":"hang","probability":"1"})", {"probability must be"}},
      {R"({"kind":"hang","seed":1})", {"a seed needs a probability"}},
      {R"({"kind":"hang","for":"soon"})", {"for must be a duration"}},
      {R"({"kind":"hang","for":5})", {"for must be a text", "for must be a duration"}},
      {R"({"kind":"status"})", {"status needs status"}},
      {R"({"kind":"status","status":199})", {"status must be a whole number from 200 to 599"}},
      {R"({"kind":"status","status":500,"early":1})", {"early must be true or false"}},
      {R"({"kind":"status","status":500,"headers":["a"]})", {"headers must be a map"}},
      {R"({"kind":"status","status":500,"headers":{"A":"b\r\nC: d"}})", {"texts of one line"}},
      {R"({"kind":"reset"})", {"reset needs at"}},
      {R"({"kind":"close","at":"noon"})", {"at must be one of request_header, request_body"}},
      {R"({"kind":"large_header","bytes":0})", {"bytes must be"}},
      {R"({"kind":"slow_reading","bytes_per_second":0})", {"bytes_per_second must be"}},
  };
  for (const Row& row : rows) {
    const auto parsed = ParseFaultText(row.json);
    ASSERT_TRUE(std::holds_alternative<std::string>(parsed)) << row.json;
    for (const std::string& problem : row.problems) {
      EXPECT_THAT(std::get<std::string>(parsed), HasSubstr(problem)) << row.json;
    }
  }
}

TEST(FaultJsonTest, ReadsFilesOfThem) {
  const auto parsed = ParseFaultFile(R"(
faults:
  - {kind: latency, milliseconds: 200, probability: 0.5, seed: 1}
  - kind: status
    status: 500
    early: true
    body: "7"
    headers: {Retry-After: "5", X-Word: five}
)");
  ASSERT_TRUE(std::holds_alternative<std::vector<Fault>>(parsed));
  const auto& faults = std::get<std::vector<Fault>>(parsed);
  ASSERT_EQ(faults.size(), 2U);
  EXPECT_EQ(faults[0].delay.count(), 200);
  EXPECT_EQ(faults[0].probability, 0.5);
  EXPECT_EQ(faults[1].body, "7");
  EXPECT_TRUE(faults[1].early);
  EXPECT_THAT(faults[1].headers,
              ElementsAre(testing::Pair("Retry-After", "5"), testing::Pair("X-Word", "five")));

  EXPECT_TRUE(std::get<std::vector<Fault>>(ParseFaultFile("faults: []")).empty());
}

TEST(FaultJsonTest, NamesEverythingThatIsWrongWithAFile) {
  const auto problems = [](const char* yaml) {
    return std::get<std::vector<std::string>>(ParseFaultFile(yaml));
  };
  for (const char* const yaml : {"", "faults", "faults: 1", "{faults: [], more: 1}", "[]"}) {
    EXPECT_THAT(problems(yaml), ElementsAre(HasSubstr("one key, faults"))) << yaml;
  }
  EXPECT_THAT(problems("faults: ["), ElementsAre(HasSubstr("line ")));
  EXPECT_THAT(problems("faults: [{kind: hang}, {kind: reset}, 5]"),
              ElementsAre("faults[1]: reset needs at", "faults[2]: a fault must be a JSON object"));
}

}  // namespace
}  // namespace idv::sandbox
