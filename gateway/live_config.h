#pragma once

#include <absl/status/statusor.h>

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "gateway/config.h"
#include "gateway/credentials.h"
#include "gateway/drain_times.h"
#include "gateway/method.h"
#include "gateway/server.h"
#include "metrics/log.h"

namespace idv {

// Keeps a running gateway to its configuration file and the files that it names, as far as can be
// done without a restart. Says in the log what is new, and what cannot be used, of which nothing is
// taken. Thread-safe.
class LiveConfig {
 public:
  // Borrows all but the path and the configuration, with which the gateway was started.
  LiveConfig(std::string path, LoadedConfig running, const Methods& methods,
             Credentials& credentials, Server& server, Log& log);

  // Takes what has changed.
  void Reload();

  // What is in use, for pages.
  struct Summary {
    std::chrono::system_clock::time_point taken_at;
    uint64_t refused = 0;  // changed files that were
    size_t tenants = 0;
    size_t callers = 0;
    bool labels_tenants = true;
    bool shows_status = true;
  };
  Summary summary() const;

  // All that Reload() reads.
  std::vector<std::string> files() const;
  DrainTimes drain() const;

 private:
  void ReloadConfig();
  absl::StatusOr<LoadedConfig> Next(const std::string& text,
                                    std::vector<std::string>& needs_restart) const;

  const std::string path_;
  const Methods& methods_;
  Credentials& credentials_;
  Server& server_;
  Log& log_;

  mutable std::mutex mutex_;
  // Protected by mutex_:
  LoadedConfig running_;
  std::chrono::system_clock::time_point taken_at_ = std::chrono::system_clock::now();
  uint64_t refused_ = 0;
  // The file when it was last read, so that what is to be said of it is said once.
  absl::StatusOr<std::string> seen_ = std::string();
};

}  // namespace idv
