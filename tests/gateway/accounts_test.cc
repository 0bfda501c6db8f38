#include "gateway/accounts.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace idv {
namespace {

constexpr char kId[] = "550e8400-e29b-41d4-a716-44665544000a";
constexpr char kSameId[] = "550E8400-E29B-41D4-A716-44665544000A";
constexpr char kOtherId[] = "550e8400-e29b-41d4-a716-44665544000b";

Config ConfigWith(const std::vector<std::string>& tenant_ids) {
  Config config;
  for (const std::string& id : tenant_ids) {
    config.tenants.push_back({.name = "a", .tenant_id = id, .api_key = {}, .budget = {}});
  }
  return config;
}

class AccountsTest : public testing::Test {
 protected:
  std::vector<std::shared_ptr<Account>> For(const std::vector<std::string>& tenant_ids) {
    return accounts_->For(ConfigWith(tenant_ids));
  }

  std::unique_ptr<Accounts> accounts_ = *Accounts::Open(Config(), {});
};

TEST_F(AccountsTest, AreOnePerTenantOfTheUpstream) {
  const auto accounts = For({kId, kOtherId, kSameId});
  ASSERT_EQ(accounts.size(), 3);
  EXPECT_NE(accounts[0], accounts[1]);
  EXPECT_EQ(accounts[0], accounts[2]);
}

TEST_F(AccountsTest, OutliveAChangeOfTheConfiguration) {
  const auto before = For({kId, kOtherId});
  const auto after = For({kOtherId, kSameId});
  EXPECT_EQ(after, (std::vector{before[1], before[0]}));
}

TEST_F(AccountsTest, GoWithTheirTenants) {
  const std::weak_ptr<Account> gone = For({kId, kOtherId})[0];
  EXPECT_EQ(For({kOtherId}).size(), 1);
  EXPECT_TRUE(gone.expired());
}

}  // namespace
}  // namespace idv
