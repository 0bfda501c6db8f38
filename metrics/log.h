#pragma once

#include <absl/strings/string_view.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace spdlog {
class logger;
}

namespace idv {

// Writes one JSON object a line to stderr: time, level, message, and the fields given. Thread-safe.
// Never give it personal data, keys, or a URL of the upstream.
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

  // `fields` is an object.
  void Debug(const std::string& message, const Fields& fields = Fields::object()) const;
  void Info(const std::string& message, const Fields& fields = Fields::object()) const;
  void Warning(const std::string& message, const Fields& fields = Fields::object()) const;
  void Error(const std::string& message, const Fields& fields = Fields::object()) const;

 private:
  void Write(Level level, const std::string& message, const Fields& fields) const;

  const std::unique_ptr<spdlog::logger> logger_;
};

}  // namespace idv
