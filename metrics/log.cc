#include "metrics/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/sink.h>

#include <array>
#include <chrono>
#include <utility>

#include "metrics/access_line.h"
#include "metrics/line_writer.h"

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

std::string Now() { return LogTime(std::chrono::system_clock::now()); }

// Gives lines to a LineWriter, which is borrowed.
class LineSink final : public spdlog::sinks::sink {
 public:
  explicit LineSink(LineWriter& writer) : writer_(writer) {}

  void log(const spdlog::details::log_msg& message) override {
    writer_.Write({message.payload.data(), message.payload.size()});
  }
  void flush() override { writer_.Flush(); }
  void set_pattern(const std::string&) override {}  // a line is whole as it comes
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

 private:
  LineWriter& writer_;
};

std::string TellDropped(uint64_t lines) {
  const Log::Fields line = {{"time", Now()},
                            {"level", "warning"},
                            {"message", "lines were dropped, since they are read too slowly"},
                            {"lines", lines}};
  return line.dump();
}

}  // namespace

Log::Log()
    : writer_(std::make_unique<LineWriter>(LineWriter::Options{.tell_dropped = TellDropped})),
      logger_(
          std::make_unique<spdlog::logger>("idv-gateway", std::make_shared<LineSink>(*writer_))) {}

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

bool Log::Shows(Level level) const {
  return logger_->should_log(kLevels.at(static_cast<size_t>(level)).of_sink);
}

void Log::WriteLine(absl::string_view line) const {
  logger_->log(spdlog::level::critical, spdlog::string_view_t(line.data(), line.size()));
}

void Log::Flush() const { writer_->Flush(); }

uint64_t Log::dropped() const { return writer_->dropped(); }

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
