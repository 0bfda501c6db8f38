#include "upstream/rfc3339.h"

#include <google/protobuf/util/time_util.h>

#include <string>
#include <vector>

namespace idv {
namespace {

TEST(Rfc3339Test, ReadsEveryFormTheUpstreamMaySend) {
  struct Row {
    std::string text;
    std::string expected;
  };
  const std::vector<Row> rows = {
      {"2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"},
      {"2026-01-02T03:04:05.123Z", "2026-01-02T03:04:05.123Z"},
      {"2026-01-02T03:06:00.123456789Z", "2026-01-02T03:06:00.123456789Z"},
      {"2026-01-02T03:06:00.1234567899999Z", "2026-01-02T03:06:00.123456789Z"},
      {"2026-01-02t03:04:05z", "2026-01-02T03:04:05Z"},
      {"2026-01-02 03:04:05Z", "2026-01-02T03:04:05Z"},
      {"2026-01-02T03:04:05+01:30", "2026-01-02T01:34:05Z"},
      {"2026-01-01T23:30:00-01:00", "2026-01-02T00:30:00Z"},
      {"2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"},
      {"2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"},
      {"1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500Z"},
      {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
      {"9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999999Z"},
  };
  for (const Row& row : rows) {
    const auto time = ParseRfc3339(row.text);

    ASSERT_TRUE(time) << row.text;
    EXPECT_EQ(google::protobuf::util::TimeUtil::ToString(*time), row.expected) << row.text;
  }
}

TEST(Rfc3339Test, RefusesEverythingElse) {
  for (const std::string text : {"",
                                 "now",
                                 "2026-01-02",
                                 "2026-01-02T03:04:05",
                                 "2026-01-02T03:04Z",
                                 "2026-13-02T03:04:05Z",
                                 "2026-02-30T03:04:05Z",
                                 "2025-02-29T03:04:05Z",
                                 "2026-01-02T24:04:05Z",
                                 "2026-01-02T03:60:05Z",
                                 "2026-01-02T03:04:61Z",
                                 "2026-01-02T03:04:05.Z",
                                 "2026-01-02T03:04:05+1:00",
                                 "2026-01-02T03:04:05+24:00",
                                 "2026-01-02T03:04:05Zx",
                                 " 2026-01-02T03:04:05Z",
                                 "0000-01-02T03:04:05Z",
                                 "0001-01-01T00:00:00+01:00",
                                 "9999-12-31T23:59:59-01:00",
                                 "20260102T030405Z",
                                 "2026-1-02T03:04:05Z"}) {
    EXPECT_FALSE(ParseRfc3339(text)) << text;
  }
}

}  // namespace
}  // namespace idv
