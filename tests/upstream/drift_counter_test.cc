#include "upstream/drift_counter.h"

#include <string>

#include "tests/upstream/probe.pb.h"

namespace idv {
namespace {

const google::protobuf::MethodDescriptor& Method(int index) {
  return *idv::test::StoreRequest::descriptor()->file()->service(0)->method(index);
}

TEST(DriftCounterTest, CountsByMethodKindAndName) {
  DriftCounter counter;
  const Drift key{Drift::Kind::kUnknownKey, "a.Message", "new"};
  const Drift value{Drift::Kind::kUnknownEnumValue, "a.Message.status", "new"};

  EXPECT_TRUE(counter.Count(Method(0), key));
  EXPECT_FALSE(counter.Count(Method(0), key));
  EXPECT_TRUE(counter.Count(Method(1), key));
  EXPECT_TRUE(counter.Count(Method(0), value));

  const auto counts = counter.Snapshot();
  EXPECT_EQ(counts.size(), 3U);
  EXPECT_EQ(counts.at({Method(0).full_name(), Drift::Kind::kUnknownKey, "a.Message.new"}), 2U);
  EXPECT_EQ(
      counts.at({Method(0).full_name(), Drift::Kind::kUnknownEnumValue, "a.Message.status=new"}),
      1U);
}

TEST(DriftCounterTest, KeepsABoundedNumberOfNamesPerMethod) {
  DriftCounter counter;
  constexpr size_t kTooMany = DriftCounter::kMaxPerMethod + 100;

  for (size_t i = 0; i < kTooMany; ++i) {
    const std::string name = "key" + std::to_string(i);
    counter.Count(Method(0), {Drift::Kind::kUnknownKey, "a.Message", name});
  }

  const auto counts = counter.Snapshot();
  EXPECT_EQ(counts.size(), DriftCounter::kMaxPerMethod + 1);
  EXPECT_EQ(counts.at({Method(0).full_name(), Drift::Kind::kUnknownKey, "(other)"}), 100U);
}

TEST(DriftCounterTest, CutsAndCleansNames) {
  const std::string name(1000, 'n');

  EXPECT_EQ(DriftCounter::NameOf({Drift::Kind::kUnknownKey, "a", "b\n"}), "a.b?");
  EXPECT_EQ(DriftCounter::NameOf({Drift::Kind::kUnknownKey, "a", name}).size(),
            2 + DriftCounter::kMaxNameBytes);
}

}  // namespace
}  // namespace idv
