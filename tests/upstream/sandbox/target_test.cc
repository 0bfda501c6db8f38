#include "upstream/sandbox/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace idv::sandbox {
namespace {

using testing::ElementsAre;
using testing::Optional;

TEST(TargetTest, DecodesPercentSigns) {
  EXPECT_EQ(PercentDecode("a%2Fb%20c"), "a/b c");
  EXPECT_EQ(PercentDecode("%C3%BC"), "ü");
  EXPECT_EQ(PercentDecode(""), "");
  for (const char* const bad : {"%", "%2", "a%zz", "%2z", "%-1", "%+1"}) {
    EXPECT_EQ(PercentDecode(bad), std::nullopt) << bad;
  }
}

TEST(TargetTest, StripsEitherBase) {
  EXPECT_EQ(PathBelowBase("/api/v1/idv/health"), "/health");
  EXPECT_EQ(PathBelowBase("/api/v1/health"), "/health");
  EXPECT_EQ(PathBelowBase("/api/v1/idv/api/v1/health"), "/health");
  EXPECT_EQ(PathBelowBase("/api/v1/idvx"), "/idvx");
  EXPECT_EQ(PathBelowBase("/api/v1"), "");
  EXPECT_EQ(PathBelowBase("/api/v2/health"), std::nullopt);
  EXPECT_EQ(PathBelowBase("/health"), std::nullopt);
}

TEST(TargetTest, SplitsBeforeItDecodes) {
  EXPECT_THAT(Segments("/a/b%2Fc"), Optional(ElementsAre("a", "b/c")));
  EXPECT_THAT(Segments("/a/"), Optional(ElementsAre("a", "")));
  EXPECT_THAT(Segments("/"), Optional(ElementsAre("")));
  EXPECT_EQ(Segments("/a/%"), std::nullopt);
}

TEST(TargetTest, FindsAQueryValue) {
  EXPECT_EQ(QueryValue("status=open", "status"), "open");
  EXPECT_EQ(QueryValue("a=1&status=a%26b&status=2", "status"), "a&b");
  EXPECT_EQ(QueryValue("status=", "status"), "");
  EXPECT_EQ(QueryValue("status", "status"), "");
  EXPECT_EQ(QueryValue("xstatus=1", "status"), std::nullopt);
  EXPECT_EQ(QueryValue("", "status"), std::nullopt);
}

}  // namespace
}  // namespace idv::sandbox
