#include "metrics/lenient_json.h"

#include <absl/time/time.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

namespace idv {
namespace {

TEST(LenientJsonTest, FindsMembersOrNull) {
  const auto document = nlohmann::json::parse(R"({"a":{"b":1},"c":"text"})");
  EXPECT_EQ(Member(document, {"a", "b"}), 1);
  EXPECT_EQ(Member(document, {}), document);
  EXPECT_TRUE(Member(document, {"x"}).is_null());
  EXPECT_TRUE(Member(document, {"x", "b"}).is_null());
  EXPECT_TRUE(Member(document, {"c", "b"}).is_null());
}

TEST(LenientJsonTest, TakesOtherTypesForNothing) {
  for (const nlohmann::json& other :
       {nlohmann::json(), nlohmann::json(true), nlohmann::json::object()}) {
    EXPECT_TRUE(Elements(other).empty()) << other;
    EXPECT_EQ(TextOf(other), "") << other;
    EXPECT_EQ(NumberOf(other), std::nullopt) << other;
    EXPECT_EQ(TimeOf(other), std::nullopt) << other;
  }
  EXPECT_EQ(NumberOf(std::numeric_limits<double>::infinity()), std::nullopt);
  EXPECT_EQ(NumberOf(std::numeric_limits<double>::quiet_NaN()), std::nullopt);
  EXPECT_EQ(TimeOf("yesterday"), std::nullopt);
  EXPECT_EQ(TimeOf("infinite-future"), std::nullopt);
}

TEST(LenientJsonTest, ReadsWhatIsThere) {
  EXPECT_EQ(Elements({1, 2}).size(), 2);
  EXPECT_EQ(TextOf("text"), "text");
  EXPECT_EQ(NumberOf(0.5), 0.5);
  EXPECT_EQ(TimeOf("2026-03-01T03:12:45.25Z"),
            absl::FromUnixSeconds(1772334765) + absl::Milliseconds(250));
}

}  // namespace
}  // namespace idv
