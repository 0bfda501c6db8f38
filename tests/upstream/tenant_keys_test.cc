#include "upstream/tenant_keys.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>

namespace idv {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

class TenantKeysTest : public testing::Test {
 protected:
  // The first of these keys that it has; "" for none.
  static std::string NameOf(const std::optional<Sender>& sender) {
    for (const char* const key : {"old", "new", "newer"}) {
      if (sender && sender->HasKey(key)) return key;
    }
    return "";
  }
  std::string Best(milliseconds after = {}) { return NameOf(keys_.Best(now_ + after)); }
  std::string InsteadOf(const Sender& sender) { return NameOf(keys_.InsteadOf(sender, now_)); }

  const TimePoint now_;
  TenantKeys keys_{"550e8400-e29b-41d4-a716-446655440000", minutes(10)};
};

TEST_F(TenantKeysTest, HasNoneBeforeTheFirst) {
  EXPECT_EQ(Best(), "");
  EXPECT_TRUE(keys_.Offer("old", now_));
  EXPECT_EQ(Best(), "old");
  EXPECT_EQ(InsteadOf(*keys_.Best(now_)), "");
}

TEST_F(TenantKeysTest, ANewKeyIsTheBestAtOnce) {
  keys_.Offer("old", now_);
  const Sender old = *keys_.Best(now_);

  EXPECT_TRUE(keys_.Offer("new", now_));
  EXPECT_FALSE(keys_.Offer("new", now_));

  EXPECT_EQ(Best(), "new");
  EXPECT_TRUE(keys_.HasNewerThan(old));
  EXPECT_EQ(InsteadOf(old), "new");
  EXPECT_EQ(Best(), "new");
}

TEST_F(TenantKeysTest, TheOneBeforeTakesThePlaceOfANewOneThatIsRefused) {
  keys_.Offer("old", now_);
  const Sender old = *keys_.Best(now_);
  keys_.Offer("new", now_);
  const Sender fresh = *keys_.Best(now_);

  EXPECT_EQ(InsteadOf(fresh), "old");
  EXPECT_EQ(Best(), "old");
  // Of the new one something bad is known: first it is to be looked for a newer one.
  EXPECT_FALSE(keys_.HasNewerThan(old));
  EXPECT_EQ(InsteadOf(old), "new");
  EXPECT_EQ(Best(), "new");

  InsteadOf(fresh);
  keys_.Offer("newer", now_);
  EXPECT_EQ(Best(), "newer");
  EXPECT_EQ(InsteadOf(old), "newer");
}

TEST_F(TenantKeysTest, TheOneBeforeIsForgottenAfterTheOverlap) {
  keys_.Offer("old", now_);
  keys_.Offer("new", now_);
  const Sender fresh = *keys_.Best(now_);
  InsteadOf(fresh);
  EXPECT_EQ(Best(minutes(10) - milliseconds(1)), "old");

  EXPECT_EQ(Best(minutes(10)), "new");
  EXPECT_EQ(InsteadOf(fresh), "");
}

TEST_F(TenantKeysTest, AKeyMayComeBack) {
  keys_.Offer("old", now_);
  keys_.Offer("new", now_);
  EXPECT_TRUE(keys_.Offer("old", now_));

  EXPECT_EQ(Best(), "old");
  EXPECT_EQ(InsteadOf(*keys_.Best(now_)), "new");
}

TEST_F(TenantKeysTest, TellsOnceThatAllAreRefusedAndOnceThatOneIsTakenAgain) {
  EXPECT_FALSE(keys_.Accepted());
  EXPECT_TRUE(keys_.Refused(now_));
  EXPECT_FALSE(keys_.Refused(now_));
  EXPECT_TRUE(keys_.is_refused());
  EXPECT_TRUE(keys_.Accepted());
  EXPECT_FALSE(keys_.Accepted());
  EXPECT_FALSE(keys_.is_refused());

  // Now and then.
  EXPECT_FALSE(keys_.Refused(now_ + milliseconds(59'999)));
  EXPECT_TRUE(keys_.is_refused());
  EXPECT_FALSE(keys_.Accepted());
  EXPECT_TRUE(keys_.Refused(now_ + minutes(1)));
}

}  // namespace
}  // namespace idv
