#include "gateway/yaml_message.h"

#include <string>
#include <vector>

#include "kora/idv/gateway/v1/config.pb.h"

namespace idv {
namespace {

using kora::idv::gateway::v1::Config;

std::vector<std::string> ProblemsOf(const std::string& text) {
  Config config;
  std::vector<std::string> problems;
  ReadYaml(text, config, problems);
  return problems;
}

TEST(YamlMessageTest, ReadsYamlAndJson) {
  for (const std::string& text :
       {std::string("listen:\n  grpc: ['a', \"b\"]\n  reflection: false\nshards: 3\ntenants:\n- "
                    "name: x\n  api_key: {env: E}\nlimits: null\n"),
        std::string(R"({"listen": {"grpc": ["a", "b"], "reflection": false}, "shards": 3,
                        "tenants": [{"name": "x", "api_key": {"env": "E"}}], "limits": null})")}) {
    Config config;
    std::vector<std::string> problems;

    EXPECT_TRUE(ReadYaml(text, config, problems));

    EXPECT_TRUE(problems.empty()) << problems[0];
    EXPECT_THAT(config.listen().grpc(), testing::ElementsAre("a", "b"));
    EXPECT_FALSE(config.listen().reflection());
    EXPECT_EQ(config.shards(), 3);
    EXPECT_EQ(config.tenants(0).api_key().env(), "E");
    EXPECT_FALSE(config.has_limits());
  }
}

TEST(YamlMessageTest, ReportsEveryProblemWithPathAndLine) {
  EXPECT_THAT(
      ProblemsOf("listen:\n  grcp: []\n  reflection: maybe\nshards: many\n"
                 "tenants:\n- name: [x]\n  api_key: {env: E, file: F}\nshards: 1\ncallers: 7\n"),
      testing::ElementsAre(
          "listen.grcp: unknown key (line 2)", "listen.reflection: expected true or false (line 3)",
          "shards: expected a whole number (line 4)",
          "tenants[0].name: expected a single value (line 6)",
          "tenants[0].api_key.file: another of the alternatives is given already (line 7)",
          "shards: given twice (line 8)", "callers: expected a list (line 9)"));
}

TEST(YamlMessageTest, TakesUtf8Only) {
  EXPECT_THAT(ProblemsOf("upstream:\n  base_url: \"\xff\"\n"),
              testing::ElementsAre("upstream.base_url: expected UTF-8 (line 2)"));
  EXPECT_THAT(ProblemsOf("upstream: {ca_file: \"\u00e4\"}\n"), testing::IsEmpty());
}

TEST(YamlMessageTest, SaysWhenTheTextIsNoMapOrNoYaml) {
  EXPECT_THAT(ProblemsOf("- a\n"),
              testing::ElementsAre("the file: expected keys and values (line 1)"));
  EXPECT_THAT(ProblemsOf("a: [\n"),
              testing::ElementsAre(testing::StartsWith("not well-formed YAML: ")));
  EXPECT_THAT(ProblemsOf(""), testing::IsEmpty());
}

}  // namespace
}  // namespace idv
