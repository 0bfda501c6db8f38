#include "upstream/sandbox/faults.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace idv::sandbox {
namespace {

using namespace std::chrono_literals;

constexpr Faults::Now kNow{};

Fault Latency(std::chrono::milliseconds delay) {
  Fault fault;
  fault.delay = delay;
  return fault;
}

Fault OfKind(FaultKind kind, Moment at = Moment::kBeforeAnswer) {
  Fault fault;
  fault.kind = kind;
  fault.at = at;
  return fault;
}

FaultTarget Target(std::string_view method = "GET") { return {.method = method, .path = "/"}; }

class FaultsTest : public testing::Test {
 protected:
  std::optional<std::chrono::milliseconds> DelayOf(const FaultTarget& target) {
    return faults_.Take(target, kNow).Delay();
  }

  Faults faults_;
};

TEST_F(FaultsTest, LeavesRequestsAloneWithoutFaults) {
  EXPECT_FALSE(faults_.Any());
  EXPECT_EQ(DelayOf(Target()), 0ms);
}

TEST_F(FaultsTest, FitsByEveryConditionThatIsSet) {
  const FaultTarget target{.method = "GET",
                           .path = "/verifications/1",
                           .endpoint = "GET /verifications/*",
                           .tenant_id = "acme",
                           .external_id = "test-a-1"};
  struct Row {
    std::string Fault::* condition;
    const char* fitting;
    const char* other;
  };
  const std::vector<Row> rows = {
      {&Fault::path_prefix, "/verifications/", "/verifications/1/images"},
      {&Fault::endpoint, "GET /verifications/*", "GET /alerts"},
      {&Fault::method, "GET", "POST"},
      {&Fault::tenant_id, "acme", "globex"},
      {&Fault::external_id_prefix, "test-a-", "test-b-"},
  };
  Fault every = Latency(1ms);
  for (const Row& row : rows) {
    every.*row.condition = row.fitting;
    for (const char* const value : {row.fitting, row.other}) {
      Fault fault = Latency(5ms);
      fault.*row.condition = value;
      faults_.Clear();
      faults_.Add(fault, kNow);
      EXPECT_EQ(DelayOf(target), value == row.fitting ? 5ms : 0ms) << value;
    }
  }
  faults_.Clear();
  faults_.Add(every, kNow);
  EXPECT_EQ(DelayOf(target), 1ms);
  every.tenant_id = "globex";
  faults_.Clear();
  faults_.Add(every, kNow);
  EXPECT_EQ(DelayOf(target), 0ms);
}

TEST_F(FaultsTest, AddsDelaysUpAndHangsIfAnyDoes) {
  faults_.Add(Latency(5ms), kNow);
  faults_.Add(Latency(7ms), kNow);
  EXPECT_EQ(DelayOf(Target()), 12ms);

  faults_.Add(OfKind(FaultKind::kHang), kNow);
  EXPECT_EQ(DelayOf(Target()), std::nullopt);
}

TEST_F(FaultsTest, IsUsedUpByRequestsThatFit) {
  Fault fault = Latency(5ms);
  fault.method = "GET";
  fault.times = 2;
  faults_.Add(fault, kNow);

  EXPECT_EQ(DelayOf(Target("POST")), 0ms);
  EXPECT_EQ(DelayOf(Target()), 5ms);
  EXPECT_EQ(faults_.All(kNow).front().times, 1U);
  EXPECT_EQ(DelayOf(Target()), 5ms);
  EXPECT_EQ(DelayOf(Target()), 0ms);
  EXPECT_TRUE(faults_.All(kNow).empty());
}

TEST_F(FaultsTest, EndsWithItsTime) {
  Fault fault = Latency(5ms);
  fault.lifetime = 1s;
  faults_.Add(fault, kNow);

  EXPECT_EQ(faults_.Take(Target(), kNow + 999ms).Delay(), 5ms);
  EXPECT_EQ(faults_.Take(Target(), kNow + 1s).Delay(), 0ms);
  EXPECT_TRUE(faults_.All(kNow + 1s).empty());
}

TEST_F(FaultsTest, HitsAShareOfTheRequestsTheSameOnesForASeed) {
  const auto hits = [](std::uint64_t seed) {
    Faults faults;
    Fault fault = Latency(5ms);
    fault.probability = 0.25;
    fault.seed = seed;
    faults.Add(fault, kNow);
    std::vector<bool> hit;
    for (int i = 0; i < 4000; ++i) hit.push_back(faults.Take(Target(), kNow).Delay() == 5ms);
    return hit;
  };
  const std::vector<bool> first = hits(1);
  const auto count = std::count(first.begin(), first.end(), true);

  EXPECT_GT(count, 850);  // 1,000, give or take more than five deviations
  EXPECT_LT(count, 1150);
  EXPECT_EQ(first, hits(1));
  EXPECT_NE(first, hits(2));
}

TEST_F(FaultsTest, StrikesInThePhaseOfItsKind) {
  Fault early = OfKind(FaultKind::kStatus);
  early.early = true;
  const std::vector<std::pair<Fault, Phase>> rows = {
      {OfKind(FaultKind::kStatus), Phase::kBeforeAnswer},
      {early, Phase::kBeforeBody},
      {OfKind(FaultKind::kSlowReading), Phase::kBeforeBody},
      {OfKind(FaultKind::kSlowWriting), Phase::kBeforeAnswer},
      {OfKind(FaultKind::kReset, Moment::kRequestHeader), Phase::kBeforeBody},
      {OfKind(FaultKind::kClose, Moment::kRequestBody), Phase::kBeforeBody},
      {OfKind(FaultKind::kReset, Moment::kDuringAnswer), Phase::kBeforeAnswer},
  };
  for (const auto& [fault, phase] : rows) {
    faults_.Clear();
    faults_.Add(fault, kNow);
    for (const Phase current : {Phase::kBeforeBody, Phase::kBeforeAnswer}) {
      FaultTarget target = Target();
      target.phase = current;
      EXPECT_EQ(faults_.Take(target, kNow).Find(fault.kind) != nullptr, current == phase)
          << static_cast<int>(fault.kind);
    }
  }
}

TEST_F(FaultsTest, RefusesEveryKeyButOne) {
  Fault fault = OfKind(FaultKind::kUnauthorized);
  fault.until_key = "new";
  faults_.Add(fault, kNow);
  for (const std::string_view key : {"new", "old"}) {
    FaultTarget target = Target();
    target.key = key;
    EXPECT_EQ(faults_.Take(target, kNow).Find(FaultKind::kUnauthorized) == nullptr, key == "new");
  }
}

TEST_F(FaultsTest, DemandsTheLengthOfRequestsInChunks) {
  faults_.Add(OfKind(FaultKind::kLengthRequired), kNow);
  for (const bool is_chunked : {false, true}) {
    FaultTarget target = Target();
    target.phase = Phase::kBeforeBody;
    target.is_chunked = is_chunked;
    EXPECT_EQ(faults_.Take(target, kNow).Find(FaultKind::kLengthRequired) != nullptr, is_chunked);
  }
}

TEST_F(FaultsTest, TellsTheFirstOfAKindAndOfAMoment) {
  Fault first = OfKind(FaultKind::kStatus);
  first.status = 500;
  Fault second = first;
  second.status = 503;
  faults_.Add(first, kNow);
  faults_.Add(second, kNow);
  faults_.Add(OfKind(FaultKind::kClose, Moment::kAfterAnswer), kNow);

  const FaultPlan plan = faults_.Take(Target(), kNow);

  EXPECT_EQ(plan.Find(FaultKind::kStatus)->status, 500);
  EXPECT_EQ(plan.FindEnd(Moment::kAfterAnswer)->kind, FaultKind::kClose);
  EXPECT_EQ(plan.FindEnd(Moment::kDuringAnswer), nullptr);
}

TEST_F(FaultsTest, BringsBackWhatItWasToKeep) {
  Fault fault = Latency(5ms);
  fault.times = 1;
  fault.lifetime = 1s;
  faults_.Add(fault, kNow);
  faults_.Keep();
  faults_.Add(Latency(7ms), kNow);
  EXPECT_EQ(DelayOf(Target()), 12ms);

  faults_.Reset(kNow + 2s);

  EXPECT_EQ(faults_.Take(Target(), kNow + 2s).Delay(), 5ms);
}

TEST_F(FaultsTest, AsksForExternalIdsOnlyWhenAFaultDependsOnThem) {
  faults_.Add(Latency(1ms), kNow);
  EXPECT_FALSE(faults_.AskForExternalId());

  Fault fault;
  fault.external_id_prefix = "test-";
  faults_.Add(fault, kNow);
  EXPECT_TRUE(faults_.AskForExternalId());
}

}  // namespace
}  // namespace idv::sandbox
