#include "upstream/answer_cache.h"

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace idv {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using Lifetime = AnswerCache::Lifetime;
using Use = AnswerCache::Use;
using WallTime = AnswerCache::WallTime;

AnswerCache::Message MessageOf(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

constexpr Lifetime kLifetime{
    .fresh = seconds(100), .stale = seconds(200), .stale_if_error = seconds(300)};
constexpr Lifetime kKept{
    .fresh = seconds(100), .stale = seconds(200), .stale_if_error = seconds(300), .is_kept = true};

class AnswerCacheTest : public testing::Test {
 protected:
  void Put(const std::string& key, const std::string& text, const Lifetime& lifetime = kLifetime,
           milliseconds after = {}) {
    cache_.Put(key, MessageOf(text), "", lifetime, now_ + after);
  }
  AnswerCache::Found Find(const std::string& key, milliseconds after = {}) {
    return cache_.Find(key, now_ + after);
  }
  Use UseOf(const std::string& key, milliseconds after) { return Find(key, after).use; }
  // "" for none.
  std::string TextOf(const std::string& key) {
    const AnswerCache::Found found = Find(key);
    return found.use == Use::kNone ? "" : *found.message;
  }
  std::vector<std::string> KeysKept() const {
    std::vector<std::string> keys;
    for (const AnswerCache::Kept& one : cache_.kept()) keys.push_back(one.key);
    return keys;
  }
  AnswerCache::Kept Answer(std::string key, std::string text, milliseconds age) const {
    return {std::move(key), "", MessageOf(std::move(text)), now_ - age};
  }

  const WallTime now_{hours(500'000)};
  AnswerCache cache_{1000};
};

TEST_F(AnswerCacheTest, HasNothingUnlessItWasPut) {
  Put("a", "1");

  const AnswerCache::Found found = Find("b");

  EXPECT_EQ(found.use, Use::kNone);
  EXPECT_EQ(found.message, nullptr);
  EXPECT_FALSE(found.is_renewal_due);
}

TEST_F(AnswerCacheTest, GivesTheMessageItselfWithItsEtagAndTime) {
  const AnswerCache::Message message = MessageOf("answer");
  cache_.Put("key", message, "\"etag\"", kLifetime, now_);

  const AnswerCache::Found found = Find("key", seconds(50));

  EXPECT_EQ(found.use, Use::kFresh);
  EXPECT_EQ(found.message, message);
  EXPECT_EQ(found.etag, "\"etag\"");
  EXPECT_EQ(found.fetched_at, now_);
}

TEST_F(AnswerCacheTest, WhatAnAnswerIsGoodForFollowsFromItsAge) {
  struct Row {
    const char* name;
    Lifetime lifetime;
    milliseconds age;
    Use use;
  };
  const auto lifetime = [](int fresh, int stale, int stale_if_error) {
    return Lifetime{seconds(fresh), seconds(stale), seconds(stale_if_error)};
  };
  const milliseconds ms(1);
  const Row rows[] = {
      {"at once", kLifetime, milliseconds(0), Use::kFresh},
      {"surely fresh", kLifetime, seconds(90) - ms, Use::kFresh},
      {"surely not fresh", kLifetime, seconds(100), Use::kWhileRenewed},
      {"last while renewed", kLifetime, seconds(200) - ms, Use::kWhileRenewed},
      {"first in place of an error", kLifetime, seconds(200), Use::kInPlaceOfError},
      {"last in place of an error", kLifetime, seconds(300) - ms, Use::kInPlaceOfError},
      {"past everything", kLifetime, seconds(300), Use::kNone},
      {"long past everything", kLifetime, hours(24 * 365 * 100), Use::kNone},
      {"fresh only, young", lifetime(100, 0, 0), seconds(90) - ms, Use::kFresh},
      {"fresh only, at its end", lifetime(100, 0, 0), seconds(100), Use::kNone},
      {"errors only", lifetime(0, 0, 100), milliseconds(0), Use::kInPlaceOfError},
      {"never fresh", lifetime(0, 100, 0), milliseconds(0), Use::kWhileRenewed},
      {"stale below fresh is as long", lifetime(100, 50, 200), seconds(100), Use::kInPlaceOfError},
      {"errors below stale is as long", lifetime(10, 200, 50), seconds(199), Use::kWhileRenewed},
      {"errors below stale, at its end", lifetime(10, 200, 50), seconds(200), Use::kNone},
      {"none", lifetime(0, 0, 0), milliseconds(0), Use::kNone},
      {"negative", lifetime(-100, -100, -100), milliseconds(0), Use::kNone},
      {"more than a time can hold",
       {milliseconds::max(), milliseconds::max(), milliseconds::max()},
       hours(24 * 365),
       Use::kFresh},
  };
  for (const Row& row : rows) {
    Put("key", "answer", row.lifetime);
    const AnswerCache::Found found = Find("key", row.age);
    EXPECT_EQ(found.use, row.use) << row.name;
    EXPECT_EQ(found.message != nullptr, row.use != Use::kNone) << row.name;
    const bool is_stale = row.use == Use::kWhileRenewed || row.use == Use::kInPlaceOfError;
    EXPECT_EQ(found.is_renewal_due, is_stale) << row.name;
  }
}

TEST_F(AnswerCacheTest, AnswersThatWereFetchedTogetherGoStaleInTheLastTenthOneByOne) {
  AnswerCache cache(100'000);
  constexpr int kAnswers = 1000;
  const auto fresh_at = [&](milliseconds age) {
    int fresh = 0;
    for (int i = 0; i < kAnswers; ++i) {
      if (cache.Find(absl::StrCat(i), now_ + age).use == Use::kFresh) ++fresh;
    }
    return fresh;
  };
  for (int i = 0; i < kAnswers; ++i) {
    cache.Put(absl::StrCat(i), MessageOf("x"), "", kLifetime, now_ - seconds(500));
  }
  for (const bool is_renewed : {false, true}) {
    for (int i = 0; i < kAnswers; ++i) {
      if (is_renewed) {
        cache.Renew(absl::StrCat(i), now_);
      } else {
        cache.Put(absl::StrCat(i), MessageOf("x"), "", kLifetime, now_);
      }
    }

    EXPECT_EQ(fresh_at(seconds(90) - milliseconds(1)), kAnswers) << is_renewed;
    EXPECT_NEAR(fresh_at(seconds(95)), 0.5 * kAnswers, 0.1 * kAnswers) << is_renewed;
    EXPECT_EQ(fresh_at(seconds(100)), 0) << is_renewed;
  }
}

TEST_F(AnswerCacheTest, EachRenewalIsShortenedAnew) {
  Put("key", "answer");
  std::vector<bool> was_fresh;
  for (int i = 0; i < 100; ++i) {
    cache_.Renew("key", now_);
    was_fresh.push_back(UseOf("key", seconds(95)) == Use::kFresh);
  }

  EXPECT_THAT(was_fresh, testing::Contains(true));
  EXPECT_THAT(was_fresh, testing::Contains(false));
}

TEST_F(AnswerCacheTest, AnAnswerPastEverythingIsRemovedWhenItIsFound) {
  Put("key", "answer");
  EXPECT_EQ(cache_.summary(now_).entries, 1U);

  EXPECT_EQ(UseOf("key", seconds(300)), Use::kNone);

  EXPECT_EQ(cache_.summary(now_).entries, 0U);
  EXPECT_EQ(cache_.summary(now_).bytes, 0U);
}

TEST_F(AnswerCacheTest, ANewAnswerTakesThePlaceOfTheOneBefore) {
  Put("key", "old");
  Put("key", "new", kLifetime, seconds(150));

  EXPECT_EQ(UseOf("key", seconds(200)), Use::kFresh);
  EXPECT_EQ(TextOf("key"), "new");
  EXPECT_EQ(cache_.summary(now_).entries, 1U);
  EXPECT_EQ(cache_.summary(now_).bytes, 6U);
}

TEST_F(AnswerCacheTest, AnAnswerThatCannotBeStoredTakesTheOneBeforeAwayAllTheSame) {
  struct Row {
    const char* name;
    size_t bytes;
    Lifetime lifetime;
    bool is_stored;
  };
  const Row rows[] = {
      {"as much as there is room for", 997, kLifetime, true},
      {"larger than the cache", 998, kLifetime, false},
      {"not to be given again", 1, Lifetime{}, false},
  };
  for (const Row& row : rows) {
    Put("key", "old");
    Put("key", std::string(row.bytes, 'x'), row.lifetime);
    EXPECT_EQ(Find("key").use != Use::kNone, row.is_stored) << row.name;
    EXPECT_EQ(cache_.summary(now_).bytes, row.is_stored ? row.bytes + 3 : 0) << row.name;
  }
}

TEST_F(AnswerCacheTest, DropForgets) {
  Put("a", "1");
  Put("b", "2");

  cache_.Drop("a");
  cache_.Drop("never there");

  EXPECT_EQ(TextOf("a"), "");
  EXPECT_EQ(TextOf("b"), "2");
}

TEST_F(AnswerCacheTest, WhatWasUsedLongestAgoMakesRoom) {
  const std::string text(249, 'x');  // four of them with their keys
  for (const char* const key : {"a", "b", "c", "d"}) Put(key, text);
  Find("a");
  EXPECT_EQ(cache_.summary(now_).bytes, 1000U);

  Put("e", text);

  EXPECT_EQ(cache_.summary(now_).bytes, 1000U);
  EXPECT_EQ(TextOf("b"), "");
  for (const char* const key : {"a", "c", "d", "e"}) EXPECT_EQ(TextOf(key), text) << key;
}

TEST_F(AnswerCacheTest, AsManyGoAsALargeAnswerTakes) {
  const std::string text(249, 'x');
  for (const char* const key : {"a", "b", "c", "d"}) Put(key, text);

  Put("e", std::string(500, 'x'));

  EXPECT_EQ(cache_.summary(now_).entries, 2U);
  EXPECT_EQ(TextOf("d"), text);
  EXPECT_EQ(TextOf("e"), std::string(500, 'x'));
}

TEST_F(AnswerCacheTest, KeysAndEtagsCountToo) {
  cache_.Put(std::string(400, 'a'), MessageOf("x"), std::string(400, 'e'), kLifetime, now_);
  EXPECT_EQ(cache_.summary(now_).bytes, 801U);

  cache_.Put(std::string(100, 'b'), MessageOf("x"), std::string(100, 'e'), kLifetime, now_);

  EXPECT_EQ(cache_.summary(now_).entries, 1U);
}

TEST_F(AnswerCacheTest, WhatIsPastEverythingMakesRoomFirst) {
  const std::string text(249, 'x');
  Put("a", text);
  Put("short-lived", std::string(200, 'x'), {.fresh = seconds(1)});
  Put("b", text);
  Put("c", text);

  Put("d", std::string(240, 'x'), kLifetime, seconds(1));

  EXPECT_EQ(TextOf("short-lived"), "");
  for (const char* const key : {"a", "b", "c"}) EXPECT_EQ(TextOf(key), text) << key;
}

TEST_F(AnswerCacheTest, ARenewalMakesTheAnswerYoungAgain) {
  Put("key", "answer");

  cache_.Renew("key", now_ + seconds(250));
  cache_.Renew("never there", now_);

  EXPECT_EQ(UseOf("key", seconds(339)), Use::kFresh);
  EXPECT_EQ(Find("key", seconds(339)).fetched_at, now_ + seconds(250));
  EXPECT_EQ(UseOf("key", seconds(549)), Use::kInPlaceOfError);
  EXPECT_EQ(UseOf("key", seconds(550)), Use::kNone);
}

TEST_F(AnswerCacheTest, AfterAFailedRenewalTheNextIsDueWhenAPauseIsOver) {
  Put("key", "answer");
  const auto is_due = [&](milliseconds after) { return Find("key", after).is_renewal_due; };
  ASSERT_TRUE(is_due(seconds(150)));

  cache_.RenewalFailed("key", now_ + seconds(150));
  cache_.RenewalFailed("never there", now_);

  EXPECT_FALSE(is_due(seconds(150)));
  EXPECT_EQ(UseOf("key", seconds(150)), Use::kWhileRenewed);
  EXPECT_FALSE(is_due(seconds(180) - milliseconds(1)));
  EXPECT_TRUE(is_due(seconds(180)));
  // In place of an error as well.
  cache_.RenewalFailed("key", now_ + seconds(250));
  EXPECT_FALSE(is_due(seconds(279)));
  EXPECT_EQ(UseOf("key", seconds(279)), Use::kInPlaceOfError);
  EXPECT_TRUE(is_due(seconds(280)));
}

TEST_F(AnswerCacheTest, ThePauseEndsWithARenewalOrANewAnswer) {
  const Lifetime never_fresh{.stale = seconds(100)};
  for (const bool is_renewed : {true, false}) {
    Put("key", "answer", never_fresh);
    cache_.RenewalFailed("key", now_);
    ASSERT_FALSE(Find("key").is_renewal_due);

    if (is_renewed) {
      cache_.Renew("key", now_);
    } else {
      Put("key", "answer", never_fresh);
    }

    EXPECT_TRUE(Find("key").is_renewal_due) << is_renewed;
  }
}

TEST_F(AnswerCacheTest, AClockThatIsSetBackMakesAnAnswerYoungButNotImmortal) {
  Put("key", "answer");

  const AnswerCache::Found found = Find("key", -hours(1000));
  EXPECT_EQ(found.use, Use::kFresh);
  EXPECT_EQ(found.fetched_at, now_ - hours(1000));
  EXPECT_EQ(UseOf("key", seconds(299) - hours(1000)), Use::kInPlaceOfError);
  EXPECT_EQ(UseOf("key", seconds(300) - hours(1000)), Use::kNone);
}

TEST_F(AnswerCacheTest, AClockThatIsSetBackDoesNotLengthenAPause) {
  Put("key", "answer", {.stale = hours(2000)});
  cache_.RenewalFailed("key", now_);

  EXPECT_FALSE(Find("key", -hours(1000)).is_renewal_due);
  EXPECT_TRUE(Find("key", seconds(30) - hours(1000)).is_renewal_due);
}

TEST_F(AnswerCacheTest, TheSummaryTellsWhatIsStale) {
  EXPECT_EQ(cache_.summary(now_).oldest_stale_fetched_at, std::nullopt);
  Put("past everything", "1", kLifetime, -seconds(300));
  Put("in place of errors", "1", kLifetime, -seconds(250));
  Put("while renewed", "1", kLifetime, -seconds(150));
  Put("fresh", "1");
  Put("of the future", "1", kLifetime, seconds(1000));

  const AnswerCache::Summary summary = cache_.summary(now_);

  EXPECT_EQ(summary.entries, 5U);
  EXPECT_EQ(summary.bytes, 69U);
  EXPECT_EQ(summary.stale_entries, 2U);
  EXPECT_EQ(summary.oldest_stale_fetched_at, now_ - seconds(250));
}

TEST_F(AnswerCacheTest, KeepsOnlyWhatMayBeKeptTheOneUsedLastFirst) {
  Put("a", "1", kKept);
  Put("personal", "2");
  cache_.Put("b", MessageOf("3"), "\"etag\"", kKept, now_ + seconds(1));
  EXPECT_THAT(KeysKept(), ElementsAre("b", "a"));
  Find("a");

  const std::vector<AnswerCache::Kept> kept = cache_.kept();

  ASSERT_THAT(KeysKept(), ElementsAre("a", "b"));
  EXPECT_EQ(*kept[1].message, "3");
  EXPECT_EQ(kept[1].etag, "\"etag\"");
  EXPECT_EQ(kept[1].fetched_at, now_ + seconds(1));
}

TEST_F(AnswerCacheTest, TheVersionGrowsWithEachChangeOfWhatIsKeptOnly) {
  struct Row {
    const char* name;
    std::function<void()> act;
    bool is_change;
  };
  const Row rows[] = {
      {"put", [&] { Put("key", "1", kKept); }, true},
      {"find", [&] { Find("key"); }, false},
      {"put again", [&] { Put("key", "2", kKept); }, true},
      {"renew", [&] { cache_.Renew("key", now_); }, true},
      {"a renewal failed", [&] { cache_.RenewalFailed("key", now_); }, false},
      {"the clock set back", [&] { Find("key", -hours(1)); }, true},
      {"put what is not kept", [&] { Put("personal", "1"); }, false},
      {"drop what is not kept", [&] { cache_.Drop("personal"); }, false},
      {"drop what is not there", [&] { cache_.Drop("other"); }, false},
      {"drop", [&] { cache_.Drop("key"); }, true},
      {"restore", [&] { cache_.Restore({Answer("key", "1", {})}, kKept, now_); }, true},
      {"restore the same", [&] { cache_.Restore({Answer("key", "1", {})}, kKept, now_); }, false},
      {"make room", [&] { Put("large", std::string(995, 'x')); }, true},
      {"put what is too large", [&] { Put("key", std::string(998, 'x'), kKept); }, false},
      {"put a short-lived one", [&] { Put("short", "1", {.fresh = seconds(1), .is_kept = true}); },
       true},
      {"find it past everything", [&] { Find("short", seconds(1)); }, true},
      {"find it again", [&] { Find("short", seconds(1)); }, false},
  };
  EXPECT_EQ(cache_.kept_version(), 0U);
  for (const Row& row : rows) {
    const uint64_t before = cache_.kept_version();
    row.act();
    if (row.is_change) {
      EXPECT_GT(cache_.kept_version(), before) << row.name;
    } else {
      EXPECT_EQ(cache_.kept_version(), before) << row.name;
    }
  }
}

TEST_F(AnswerCacheTest, RestoresWhatAnotherHasKept) {
  AnswerCache other(1000);
  other.Put("a", MessageOf("1"), "\"etag\"", kKept, now_ - seconds(150));
  other.Put("b", MessageOf("2"), "", kKept, now_);

  cache_.Restore(other.kept(), kKept, now_);

  const AnswerCache::Found a = Find("a");
  EXPECT_EQ(a.use, Use::kWhileRenewed);
  EXPECT_TRUE(a.is_renewal_due);
  EXPECT_EQ(a.etag, "\"etag\"");
  EXPECT_EQ(*a.message, "1");
  EXPECT_EQ(UseOf("b", seconds(89)), Use::kFresh);
  EXPECT_THAT(KeysKept(), ElementsAre("b", "a"));
}

TEST_F(AnswerCacheTest, RestoringFollowsTheAgesAndReplacesNothingNewer) {
  struct Row {
    const char* name;
    milliseconds age;
    std::string text;
  };
  const Row rows[] = {
      {"newer than the one there", seconds(99), "restored"},
      {"as old as the one there", seconds(100), "there"},
      {"older than the one there", seconds(101), "there"},
      {"past everything", seconds(300), "there"},
      {"of the future", -hours(1000), "restored"},
  };
  for (const Row& row : rows) {
    Put("key", "there", kKept, -seconds(100));
    cache_.Restore({Answer("key", "restored", row.age)}, kKept, now_);
    EXPECT_EQ(TextOf("key"), row.text) << row.name;
    EXPECT_LE(Find("key").fetched_at, now_) << row.name;
    EXPECT_EQ(cache_.summary(now_).entries, 1U) << row.name;
  }
}

TEST_F(AnswerCacheTest, LeavesOutOfARestorationWhatIsPastEverything) {
  cache_.Restore({Answer("a", "1", seconds(300)), Answer("b", "2", seconds(300) - milliseconds(1))},
                 kKept, now_);

  EXPECT_THAT(KeysKept(), ElementsAre("b"));
  EXPECT_EQ(UseOf("b", {}), Use::kInPlaceOfError);
  cache_.Restore({Answer("c", "1", {})}, Lifetime{.is_kept = true}, now_);
  EXPECT_EQ(TextOf("c"), "");
}

TEST_F(AnswerCacheTest, WhatIsRestoredTakesNoRoomFromWhatIsThere) {
  Put("there", std::string(495, 'x'));

  cache_.Restore({Answer("large", std::string(496, 'x'), {}),
                  Answer("a", std::string(399, 'x'), {}), Answer("b", std::string(99, 'x'), {})},
                 kKept, now_);

  EXPECT_THAT(KeysKept(), ElementsAre("a", "b"));
  EXPECT_EQ(cache_.summary(now_).bytes, 1000U);
  Put("c", "1");
  EXPECT_NE(TextOf("there"), "");
  EXPECT_THAT(KeysKept(), ElementsAre("a"));
}

TEST_F(AnswerCacheTest, HoldsNothingWithoutRoom) {
  AnswerCache none(0);

  none.Put("key", MessageOf(""), "", kKept, now_);
  none.Restore({Answer("key", "1", {})}, kKept, now_);

  EXPECT_EQ(none.Find("key", now_).use, Use::kNone);
  EXPECT_THAT(none.kept(), IsEmpty());
}

}  // namespace
}  // namespace idv
