#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "tests/fuzz/target.h"

namespace idv::fuzz {
namespace {

namespace fs = std::filesystem;

const fs::path kCorpora = "tests/fuzz/corpus";

class ReplayTest : public testing::TestWithParam<Target> {};

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_P(ReplayTest, HoldsForEverySeed) {
  const fs::path corpus = kCorpora / std::string(GetParam().name);
  ASSERT_TRUE(fs::is_directory(corpus)) << corpus;
  int seeds = 0;

  for (const auto& entry : fs::directory_iterator(corpus)) {
    EXPECT_EQ(GetParam().check(ReadFile(entry.path())), "") << entry.path();
    ++seeds;
  }

  EXPECT_GT(seeds, 0) << corpus;
}

TEST_P(ReplayTest, HoldsForNoBytesAtAll) { EXPECT_EQ(GetParam().check(""), ""); }

INSTANTIATE_TEST_SUITE_P(Corpus, ReplayTest, testing::ValuesIn(kTargets),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST(CorporaTest, HaveATargetEach) {
  std::set<std::string> names;
  for (const Target& target : kTargets) names.emplace(target.name);

  for (const auto& entry : fs::directory_iterator(kCorpora)) {
    EXPECT_TRUE(names.contains(entry.path().filename())) << entry.path();
  }
}

}  // namespace
}  // namespace idv::fuzz
