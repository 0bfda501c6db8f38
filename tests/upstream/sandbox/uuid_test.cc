#include "upstream/sandbox/uuid.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace idv::sandbox {
namespace {

TEST(UuidTest, MakesDifferentUuidsOfVersion4) {
  const IdGenerator next = RandomUuids();
  std::set<std::string> seen;

  for (int i = 0; i < 1000; ++i) {
    const std::string uuid = next();
    EXPECT_TRUE(IsUuid(uuid)) << uuid;
    EXPECT_EQ(uuid[14], '4') << uuid;
    EXPECT_NE(std::string("89ab").find(uuid[19]), std::string::npos) << uuid;
    EXPECT_TRUE(seen.insert(uuid).second) << uuid;
  }
}

TEST(UuidTest, TellsUuidsFromOtherTexts) {
  EXPECT_TRUE(IsUuid("550e8400-e29b-41d4-a716-446655440000"));
  EXPECT_TRUE(IsUuid("550E8400-E29B-41D4-A716-446655440000"));
  for (const char* const bad :
       {"", "550e8400", "550e8400-e29b-41d4-a716-44665544000",
        "550e8400-e29b-41d4-a716-4466554400000", "550e8400-e29b-41d4-a716-44665544000g",
        "550e8400ee29b-41d4-a716-446655440000", "-50e8400-e29b-41d4-a716-446655440000"}) {
    EXPECT_FALSE(IsUuid(bad)) << bad;
  }
}

}  // namespace
}  // namespace idv::sandbox
