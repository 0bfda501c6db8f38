#include "auth/policy.h"

#include <optional>
#include <string>
#include <vector>

namespace idv {
namespace {

using Kind = Policy::Verdict::Kind;

const std::vector<std::string> kTenants = {"acme", "bolt"};
const std::vector<std::string> kMethods = {"p.One/A", "p.One/B", "p.OneMore/A"};

Policy Compiled(const std::vector<Policy::Rule>& rules) {
  std::vector<Policy::Problem> problems;
  Policy policy = Policy::Compile(rules, kTenants, kMethods, problems);
  EXPECT_TRUE(problems.empty());
  return policy;
}

TEST(PolicyTest, AllowsWhatARuleSaysAndNothingElse) {
  const Policy policy = Compiled({{"all", {"*"}, {"*"}},
                                  {"some", {"acme"}, {"p.One/*"}},
                                  {"one", {"acme", "bolt"}, {"p.OneMore/A"}}});
  struct Row {
    std::string identity;
    size_t method;
    std::string tenant;
    Kind expected;
    size_t expected_tenant = 0;
  };
  const std::vector<Row> rows = {
      {"all", 0, "acme", Kind::kAllowed, 0},        {"all", 2, "bolt", Kind::kAllowed, 1},
      {"all", 2, "", Kind::kTenantRequired},        {"all", 2, "corp", Kind::kTenantNotAllowed},
      {"all", 2, "*", Kind::kTenantNotAllowed},     {"some", 0, "", Kind::kAllowed, 0},
      {"some", 1, "acme", Kind::kAllowed, 0},       {"some", 2, "acme", Kind::kMethodNotAllowed},
      {"some", 0, "bolt", Kind::kTenantNotAllowed}, {"one", 0, "acme", Kind::kMethodNotAllowed},
      {"one", 2, "bolt", Kind::kAllowed, 1},        {"nobody", 0, "acme", Kind::kCallerUnknown},
      {"", 0, "acme", Kind::kCallerUnknown},
  };
  for (const Row& row : rows) {
    const Policy::Verdict verdict = policy.Authorize(row.identity, row.method, row.tenant);

    EXPECT_EQ(verdict.kind, row.expected)
        << row.identity << " " << kMethods[row.method] << " '" << row.tenant << "'";
    if (row.expected == Kind::kAllowed) {
      EXPECT_EQ(verdict.tenant, row.expected_tenant);
    }
  }
}

TEST(PolicyTest, TakesTheMostExactRuleForAnIdentityAndNoOther) {
  const Policy policy = Compiled({{"spiffe://a/*", {"acme"}, {"p.One/A"}},
                                  {"spiffe://a/ns/kyc/*", {"acme"}, {"p.One/B"}},
                                  {"spiffe://a/ns/kyc/sa/one", {"acme"}, {"p.OneMore/A"}}});
  struct Row {
    std::string identity;
    std::optional<size_t> method;  // the only one allowed
  };
  const std::vector<Row> rows = {
      {"spiffe://a/", 0},
      {"spiffe://a/ns/other", 0},
      {"spiffe://a/ns/kyc/", 1},
      {"spiffe://a/ns/kyc/sa/one/more", 1},
      {"spiffe://a/ns/kyc/sa/one", 2},
      {"spiffe://a", {}},
      {"spiffe://ab/ns", {}},
      {"spiffe://a/*", {}},
      {"spiffe://a/ns/kyc/*", {}},
      {"*", {}},
      {"", {}},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(policy.Knows(row.identity), row.method.has_value()) << row.identity;
    for (size_t method = 0; method < kMethods.size(); ++method) {
      EXPECT_EQ(policy.Authorize(row.identity, method, "").kind, !row.method ? Kind::kCallerUnknown
                                                                 : method == *row.method
                                                                     ? Kind::kAllowed
                                                                     : Kind::kMethodNotAllowed)
          << row.identity << " " << kMethods[method];
    }
  }
}

TEST(PolicyTest, AsksForNoTenantWhereThereIsNone) {
  const Policy policy = Compiled({{"all", {"*"}, {"p.One/A"}}});

  EXPECT_EQ(policy.AuthorizeWithoutTenant("all", 0).kind, Kind::kAllowed);
  EXPECT_EQ(policy.AuthorizeWithoutTenant("all", 1).kind, Kind::kMethodNotAllowed);
  EXPECT_EQ(policy.AuthorizeWithoutTenant("nobody", 0).kind, Kind::kCallerUnknown);
}

TEST(PolicyTest, ReportsEveryRuleThatNamesNothing) {
  std::vector<Policy::Problem> problems;

  Policy::Compile(
      {{"a", {"corp"}, {"p.None/*", "p.One/C"}}, {"a", {"acme"}, {"p.One*", "p.One/A*"}}}, kTenants,
      kMethods, problems);

  std::vector<std::string> found;
  for (const auto& problem : problems)
    found.push_back(std::to_string(problem.rule) + " " + problem.what);
  EXPECT_THAT(found, testing::UnorderedElementsAre(
                         testing::HasSubstr("0 no tenant is called 'corp'"),
                         testing::HasSubstr("0 no method is called 'p.None/*'"),
                         testing::HasSubstr("0 no method is called 'p.One/C'"),
                         testing::HasSubstr("1 the identity 'a' has a rule already"),
                         testing::HasSubstr("1 no method is called 'p.One*'"),
                         testing::HasSubstr("1 no method is called 'p.One/A*'")));
}

}  // namespace
}  // namespace idv
