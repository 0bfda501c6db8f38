#include "metrics/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <array>
#include <chrono>
#include <ctime>
#include <utility>

namespace idv {
namespace {

struct Known {
  const char* name;
  spdlog::level::level_enum of_sink;
};

// In the order of Log::Level.
constexpr std::array<Known, 4> kLevels = {{{"debug", spdlog::level::debug},
                                           {"info", spdlog::level::info},
                                           {"warning", spdlog::level::warn},
                                           {"error", spdlog::level::err}}};

// UTC with milliseconds, RFC 3339.
std::string Now() {
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, sizeof "2026-01-02T03:04:05"> text{};
  std::strftime(text.data(), text.size(), "%FT%T", &utc);
  return fmt::format("{}.{:03}Z", text.data(), milliseconds);
}

}  // namespace

Log::Log()
    : logger_(std::make_unique<spdlog::logger>("idv-gateway",
                                               std::make_shared<spdlog::sinks::stderr_sink_mt>())) {
  logger_->set_pattern("%v");
}

Log::~Log() = default;

std::optional<Log::Level> Log::LevelOf(absl::string_view name) {
  for (size_t i = 0; i < kLevels.size(); ++i) {
    if (name == kLevels[i].name) return static_cast<Level>(i);
  }
  return std::nullopt;
}

void Log::SetLevel(Level level) {
  logger_->set_level(kLevels.at(static_cast<size_t>(level)).of_sink);
}

void Log::Debug(const std::string& message, const Fields& fields) const {
  Write(Level::kDebug, message, fields);
}

void Log::Info(const std::string& message, const Fields& fields) const {
  Write(Level::kInfo, message, fields);
}

void Log::Warning(const std::string& message, const Fields& fields) const {
  Write(Level::kWarning, message, fields);
}

void Log::Error(const std::string& message, const Fields& fields) const {
  Write(Level::kError, message, fields);
}

void Log::Write(Level level, const std::string& message, const Fields& fields) const {
  const Known& known = kLevels.at(static_cast<size_t>(level));
  if (!logger_->should_log(known.of_sink)) return;
  Fields line = {{"time", Now()}, {"level", known.name}, {"message", message}};
  line.update(fields);
  // Texts of libraries may hold any bytes: what is not UTF-8 is replaced.
  logger_->log(known.of_sink, line.dump(-1, ' ', false, Fields::error_handler_t::replace));
}

}  // namespace idv
