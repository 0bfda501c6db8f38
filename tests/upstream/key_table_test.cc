#include "upstream/key_table.h"

#include <string>

namespace idv {
namespace {

TEST(KeyTableTest, FindsWhatWasPutInAndNothingElse) {
  KeyTable<int> table;
  EXPECT_EQ(table.Find("anything"), nullptr);

  // Of every length, with equal ends, and one the beginning of the other.
  for (int i = 0; i < 300; ++i) {
    const std::string key =
        "ends" + std::string(static_cast<size_t>(i % 50), 'x') + std::to_string(i) + "equal";
    ASSERT_TRUE(table.Insert(key, i)) << key;
    ASSERT_FALSE(table.Insert(key, -1)) << key;
  }
  ASSERT_TRUE(table.Insert("", 1000));
  ASSERT_TRUE(table.Insert("a", 1001));

  ASSERT_EQ(table.entries().size(), 302U);
  for (const auto& [key, value] : table.entries()) {
    ASSERT_NE(table.Find(key), nullptr) << key;
    EXPECT_EQ(*table.Find(key), value) << key;
    EXPECT_EQ(table.Find(key + "!"), nullptr) << key;
  }
  EXPECT_EQ(table.Find("b"), nullptr);
  EXPECT_EQ(table.Find(absl::string_view("a\0", 2)), nullptr);
}

}  // namespace
}  // namespace idv
