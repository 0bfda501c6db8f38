#include "metrics/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <array>
#include <chrono>
#include <ctime>
#include <utility>

namespace idv {
namespace {

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

void Log::Info(const std::string& message, const Fields& fields) const {
  Write("info", message, fields);
}

void Log::Warning(const std::string& message, const Fields& fields) const {
  Write("warning", message, fields);
}

void Log::Error(const std::string& message, const Fields& fields) const {
  Write("error", message, fields);
}

void Log::Write(const char* level, const std::string& message, const Fields& fields) const {
  Fields line = {{"time", Now()}, {"level", level}, {"message", message}};
  line.update(fields);
  // Texts of libraries may hold any bytes: what is not UTF-8 is replaced.
  logger_->info(line.dump(-1, ' ', false, Fields::error_handler_t::replace));
}

}  // namespace idv
