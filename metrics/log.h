#pragma once

#include <memory>
#include <nlohmann/json.hpp>
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

  Log();
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // `fields` is an object.
  void Info(const std::string& message, const Fields& fields = Fields::object()) const;
  void Warning(const std::string& message, const Fields& fields = Fields::object()) const;
  void Error(const std::string& message, const Fields& fields = Fields::object()) const;

 private:
  void Write(const char* level, const std::string& message, const Fields& fields) const;

  const std::unique_ptr<spdlog::logger> logger_;
};

}  // namespace idv
