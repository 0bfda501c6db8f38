#include "metrics/log.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace idv {
namespace {

TEST(LogTest, WritesOneJsonObjectALine) {
  const Log log;

  testing::internal::CaptureStderr();
  log.Info("hello", {{"count", 3}, {"text", "two\nlines \xff"}});
  log.Error("bad");
  log.Flush();
  const std::string text = testing::internal::GetCapturedStderr();

  const size_t first_end = text.find('\n');
  const auto first = nlohmann::json::parse(text.substr(0, first_end));
  const auto second = nlohmann::json::parse(text.substr(first_end + 1));
  EXPECT_EQ(first.at("level"), "info");
  EXPECT_EQ(first.at("message"), "hello");
  EXPECT_EQ(first.at("count"), 3);
  EXPECT_THAT(first.at("text").get<std::string>(), testing::StartsWith("two\nlines "));
  EXPECT_THAT(
      first.at("time").get<std::string>(),
      testing::MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z"));
  EXPECT_EQ(second.at("level"), "error");
}

TEST(LogTest, LeavesOutWhatIsBelowItsLevel) {
  Log log;
  const auto written = [&] {
    testing::internal::CaptureStderr();
    log.Debug("d");
    log.Info("i");
    log.Warning("w");
    log.Error("e");
    log.Flush();
    const std::string text = testing::internal::GetCapturedStderr();
    return std::count(text.begin(), text.end(), '\n');
  };
  EXPECT_EQ(written(), 3);
  int expected = 4;
  for (const char* const name : {"debug", "info", "warning", "error"}) {
    log.SetLevel(*Log::LevelOf(name));
    EXPECT_EQ(written(), expected--) << name;
  }
  EXPECT_EQ(Log::LevelOf("loud"), std::nullopt);
}

}  // namespace
}  // namespace idv
