#include "upstream/sandbox/faults.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace idv::sandbox {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

Fault Latency(std::chrono::milliseconds delay) {
  Fault fault;
  fault.delay = delay;
  return fault;
}

TEST(FaultsTest, LeavesRequestsAloneWithoutFaults) {
  const FaultPlan plan = Faults().Take({"GET", "/health", ""});

  EXPECT_FALSE(plan.hang);
  EXPECT_EQ(plan.delay, 0ms);
}

TEST(FaultsTest, FitsByEveryConditionThatIsSet) {
  struct Row {
    const char* path_prefix;
    const char* method;
    const char* external_id_prefix;
    bool fits;
  };
  const FaultTarget target{"GET", "/verifications/1", "test-a-1"};
  const std::vector<Row> rows = {
      {"", "", "", true},
      {"/verifications/", "", "", true},
      {"/verifications/1", "GET", "test-a-", true},
      {"/verifications/2", "", "", false},
      {"/verifications/1/images", "", "", false},
      {"", "POST", "", false},
      {"", "", "test-b-", false},
      {"/verifications", "GET", "test-b-", false},
  };
  for (const Row& row : rows) {
    Faults faults;
    Fault fault = Latency(5ms);
    fault.path_prefix = row.path_prefix;
    fault.method = row.method;
    fault.external_id_prefix = row.external_id_prefix;
    faults.Add(fault);

    EXPECT_EQ(faults.Take(target).delay, row.fits ? 5ms : 0ms)
        << row.path_prefix << " " << row.method << " " << row.external_id_prefix;
  }
}

TEST(FaultsTest, AddsDelaysUpAndHangsIfAnyDoes) {
  Faults faults;
  faults.Add(Latency(5ms));
  faults.Add(Latency(7ms));
  EXPECT_EQ(faults.Take({"GET", "/", ""}).delay, 12ms);
  EXPECT_FALSE(faults.Take({"GET", "/", ""}).hang);

  Fault hang;
  hang.kind = FaultKind::kHang;
  faults.Add(hang);
  EXPECT_TRUE(faults.Take({"GET", "/", ""}).hang);
}

TEST(FaultsTest, IsUsedUpByRequestsThatFit) {
  Faults faults;
  Fault fault = Latency(5ms);
  fault.method = "GET";
  fault.times = 2;
  faults.Add(fault);

  EXPECT_EQ(faults.Take({"POST", "/", ""}).delay, 0ms);
  EXPECT_EQ(faults.Take({"GET", "/", ""}).delay, 5ms);
  EXPECT_EQ(faults.All().front().times, 1U);
  EXPECT_EQ(faults.Take({"GET", "/", ""}).delay, 5ms);
  EXPECT_EQ(faults.Take({"GET", "/", ""}).delay, 0ms);
  EXPECT_TRUE(faults.All().empty());
}

TEST(FaultsTest, AsksForExternalIdsOnlyWhenAFaultDependsOnThem) {
  Faults faults;
  faults.Add(Latency(1ms));
  EXPECT_FALSE(faults.AskForExternalId());

  Fault fault;
  fault.external_id_prefix = "test-";
  faults.Add(fault);
  EXPECT_TRUE(faults.AskForExternalId());
}

TEST(FaultsTest, ReadsWhatItWrites) {
  for (
      const char* const text :
      {R"({"kind":"hang"})",
       R"({"kind":"latency","path_prefix":"/a","method":"GET","external_id_prefix":"x","milliseconds":200,"times":3})",
       R"({"kind":"latency","milliseconds":0})"}) {
    const ParsedFault parsed = ParseFault(text);
    ASSERT_EQ(parsed.problems, "") << text;

    Json json = FaultJson(parsed.fault);
    json.erase("id");
    EXPECT_EQ(json.dump(), text);
  }
}

TEST(FaultsTest, NamesEverythingThatIsWrong) {
  struct Row {
    const char* json;
    std::vector<std::string> problems;
  };
  const std::vector<Row> rows = {
      {"", {"JSON object"}},
      {"[]", {"JSON object"}},
      {"{}", {"kind"}},
      {R"({"kind":"explode"})", {"kind must be latency or hang"}},
      {R"({"kind":"latency"})", {"latency needs milliseconds"}},
      {R"({"kind":"latency","milliseconds":-1})", {"milliseconds must be"}},
      {R"({"kind":"latency","milliseconds":1.5})", {"milliseconds must be"}},
      {R"({"kind":"latency","milliseconds":86400001})", {"milliseconds must be"}},
      {R"({"kind":"hang","milliseconds":5})", {"hang takes no milliseconds"}},
      {R"({"kind":"hang","times":0})", {"times must be"}},
      {R"({"kind":"hang","method":1})", {"method must be a text"}},
      {R"({"kind":"hang","delay":1,"path":"/x"})", {"unknown key delay", "unknown key path"}},
  };
  for (const Row& row : rows) {
    const ParsedFault parsed = ParseFault(row.json);
    for (const std::string& problem : row.problems) {
      EXPECT_THAT(parsed.problems, HasSubstr(problem)) << row.json;
    }
  }
}

}  // namespace
}  // namespace idv::sandbox
