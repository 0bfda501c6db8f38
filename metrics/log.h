#pragma once

#include <absl/strings/string_view.h>

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace spdlog {
class logger;
}

namespace idv {

class LineWriter;

// Writes one JSON object a line to stderr: time, level, message, and the fields given. Nobody waits
// for whoever reads them: see LineWriter. Thread-safe. Never give it personal data, keys, or a URL
// of the upstream.
class Log {
 public:
  using Fields = nlohmann::ordered_json;
  enum class Level { kDebug, kInfo, kWarning, kError };

  // By its name in lower case; nothing for what is none.
  static std::optional<Level> LevelOf(absl::string_view name);

  Log();
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // The least that is written; at first info.
  void SetLevel(Level level);
  bool Shows(Level level) const;

  // `fields` is an object.
  void Debug(const std::string& message, const Fields& fields = Fields::object()) const;
  void Info(const std::string& message, const Fields& fields = Fields::object()) const;
  void Warning(const std::string& message, const Fields& fields = Fields::object()) const;
  void Error(const std::string& message, const Fields& fields = Fields::object()) const;

  // A line that is JSON already, of whatever level.
  void WriteLine(absl::string_view line) const;

  // Waits until all lines so far are written, a second at most.
  void Flush() const;
  // Lines that whoever reads them was too slow for.
  uint64_t dropped() const;

 private:
  void Write(Level level, const std::string& message, const Fields& fields) const;

  const std::unique_ptr<LineWriter> writer_;
  const std::unique_ptr<spdlog::logger> logger_;
};

}  // namespace idv
