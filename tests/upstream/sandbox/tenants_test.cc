#include "upstream/sandbox/tenants.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

namespace idv::sandbox {
namespace {

using testing::ElementsAre;

std::vector<std::string> Problems(const std::string& yaml) {
  const auto parsed = Tenants::Parse(yaml);
  const auto* const problems = std::get_if<std::vector<std::string>>(&parsed);
  return problems == nullptr ? std::vector<std::string>() : *problems;
}

TEST(TenantsTest, KnowsOneKeyForEverythingByDefault) {
  const Tenants tenants = Tenants::Default();

  const Grant* const grant = tenants.Find("test_sk_sandbox");

  ASSERT_NE(grant, nullptr);
  EXPECT_EQ(grant->tenant_id, "550e8400-e29b-41d4-a716-446655440000");
  for (int scope = 0; scope <= static_cast<int>(Scope::kReferenceRead); ++scope) {
    EXPECT_TRUE(grant->Allows(static_cast<Scope>(scope))) << ScopeName(static_cast<Scope>(scope));
  }
  EXPECT_EQ(tenants.Find(""), nullptr);
}

TEST(TenantsTest, ReadsKeysAndTheirScopes) {
  const auto parsed = Tenants::Parse(R"(
tenants:
  - tenant_id: 550E8400-E29B-41D4-A716-446655440000
    keys:
      - {key: a, scopes: [alerts:read, "reference:read"]}
      - {key: b, scopes: ["*"]}
)");
  ASSERT_TRUE(std::holds_alternative<Tenants>(parsed));
  const auto& tenants = std::get<Tenants>(parsed);

  const Grant* const grant = tenants.Find("a");

  ASSERT_NE(grant, nullptr);
  EXPECT_EQ(grant->tenant_id, "550e8400-e29b-41d4-a716-446655440000");
  EXPECT_TRUE(grant->Allows(Scope::kAlertsRead));
  EXPECT_TRUE(grant->Allows(Scope::kReferenceRead));
  EXPECT_FALSE(grant->Allows(Scope::kAlertsWrite));
  EXPECT_FALSE(grant->Allows(Scope::kVerificationsRead));
  EXPECT_TRUE(tenants.Find("b")->Allows(Scope::kReviewsWrite));
}

TEST(TenantsTest, GivesEveryKeyThePlanOfItsTenant) {
  const auto parsed = Tenants::Parse(R"(
tenants:
  - tenant_id: 550e8400-e29b-41d4-a716-446655440000
    plan: professional
    keys: [{key: a, scopes: ["*"]}, {key: b, scopes: ["*"]}]
  - tenant_id: 11111111-2222-4333-8444-555555555555
    keys: [{key: c, scopes: ["*"]}]
)");
  ASSERT_TRUE(std::holds_alternative<Tenants>(parsed));
  const auto& tenants = std::get<Tenants>(parsed);

  EXPECT_EQ(tenants.Find("a")->plan, FindPlan("professional"));
  EXPECT_EQ(tenants.Find("b")->plan, FindPlan("professional"));
  EXPECT_EQ(tenants.Find("c")->plan, nullptr);
  EXPECT_EQ(Tenants::Default().Find("test_sk_sandbox")->plan, nullptr);
  EXPECT_EQ(Tenants::Default(FindPlan("basic")).Find("test_sk_sandbox")->plan, FindPlan("basic"));
}

TEST(TenantsTest, ReportsEveryProblemWithItsPath) {
  EXPECT_THAT(
      Problems(R"(
extra: 1
tenants:
  - tenant_id: nonsense
    plan: golden
    keys:
      - {key: a, scopes: [dance, "*"]}
      - {key: a, scopes: []}
      - {key: "", scopes: ["*"]}
  - tenant_id: 550e8400-e29b-41d4-a716-446655440000
    keys: 7
  - tenant_id: 550e8400-e29b-41d4-a716-446655440000
    keys: [{key: b, scopes: ["*"]}, 3]
)"),
      ElementsAre("the file: unknown key extra", "tenants[0].tenant_id: must be a UUID",
                  "tenants[0].plan: must be basic, professional or enterprise",
                  "tenants[0].keys[0].scopes[0]: unknown scope dance",
                  "tenants[0].keys[1].scopes: must be a list of at least one item",
                  "tenants[0].keys[1].key: is given twice",
                  "tenants[0].keys[2].key: must be a text that is not empty",
                  "tenants[1].keys: must be a list of at least one item",
                  "tenants[2].tenant_id: is given twice", "tenants[2].keys[1]: must be a map"));
}

TEST(TenantsTest, RefusesWhatIsNoListOfTenants) {
  for (const char* const yaml : {"", "7", "[]", "tenants:", "tenants: []", "tenants: {a: 1}"}) {
    EXPECT_EQ(Problems(yaml).size(), 1U) << yaml;
  }
  EXPECT_THAT(Problems("tenants: ["), ElementsAre(testing::StartsWith("line ")));
}

}  // namespace
}  // namespace idv::sandbox
