#include "metrics/human_text.h"

#include <absl/strings/str_replace.h>
#include <absl/time/time.h>

#include <string>

namespace idv {
namespace {

// With plain spaces.
std::string Plain(const std::string& text) { return absl::StrReplaceAll(text, {{"\u00a0", " "}}); }

TEST(HumanTextTest, EscapesWhatMeansSomethingInHtml) {
  EXPECT_EQ(Escaped("<a href=\"x\" title='y'>&amp; é\n"),
            "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp; é\ufffd");
}

TEST(HumanTextTest, GroupsDigits) {
  EXPECT_EQ(CountText(0), "0");
  EXPECT_EQ(CountText(999), "999");
  EXPECT_EQ(CountText(1000), "1,000");
  EXPECT_EQ(CountText(-123456), "-123,456");
  EXPECT_EQ(CountText(12345678), "12,345,678");
}

TEST(HumanTextTest, SaysSizesInBinaryUnits) {
  EXPECT_EQ(Plain(BytesText(0)), "0 B");
  EXPECT_EQ(Plain(BytesText(1023)), "1,023 B");
  EXPECT_EQ(Plain(BytesText(1024)), "1 KiB");
  EXPECT_EQ(Plain(BytesText(1536)), "1.5 KiB");
  EXPECT_EQ(Plain(BytesText(268435456)), "256 MiB");
  EXPECT_EQ(Plain(BytesText(1024.0 * 1024 - 1)), "1 MiB");
  EXPECT_EQ(Plain(BytesText(1e18)), "909,495 TiB");
}

TEST(HumanTextTest, SaysDurationsInTheirTwoGreatestUnits) {
  const auto text = [](absl::Duration duration) { return Plain(DurationText(duration)); };
  EXPECT_EQ(text(absl::ZeroDuration()), "0 s");
  EXPECT_EQ(text(absl::Microseconds(100)), "0.1 ms");
  EXPECT_EQ(text(absl::Milliseconds(350)), "350 ms");
  EXPECT_EQ(text(absl::Milliseconds(2340)), "2.3 s");
  EXPECT_EQ(text(absl::Milliseconds(41700)), "41 s");
  EXPECT_EQ(text(absl::Minutes(3)), "3 min");
  EXPECT_EQ(text(absl::Seconds(12 * 60 + 5)), "12 min 5 s");
  EXPECT_EQ(text(absl::Seconds(93784)), "1 d 2 h");
  EXPECT_EQ(text(absl::Hours(24 * 1500)), "1,500 d");
  EXPECT_EQ(text(-absl::Minutes(3)), "-3 min");
}

TEST(HumanTextTest, SaysHowLongAgoOrInHowLong) {
  const absl::Time now = absl::FromUnixSeconds(1772334765);
  const auto text = [&](absl::Duration age) { return Plain(AgeText(now - age, now)); };
  EXPECT_EQ(text(absl::Milliseconds(999)), "just now");
  EXPECT_EQ(text(absl::Seconds(134)), "2 min 14 s ago");
  EXPECT_EQ(text(absl::Seconds(659)), "10 min ago");
  EXPECT_EQ(text(absl::Minutes(192)), "3 h 12 min ago");
  EXPECT_EQ(text(-absl::Hours(24 * 89 + 20)), "in 89 d 20 h");
  EXPECT_EQ(ExactText(now), "2026-03-01 03:12:45 UTC");
}

}  // namespace
}  // namespace idv
