#include "gateway/live_config.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <utility>

#include "auth/read_file.h"
#include "gateway/config_change.h"
#include "gateway/processors.h"

namespace idv {

LiveConfig::LiveConfig(std::string path, LoadedConfig running, const Methods& methods,
                       Credentials& credentials, Server& server, Log& log)
    : path_(std::move(path)),
      methods_(methods),
      credentials_(credentials),
      server_(server),
      log_(log),
      running_(std::move(running)) {}

void LiveConfig::Reload() {
  const std::lock_guard lock(mutex_);
  ReloadConfig();
  credentials_.Reload();
}

void LiveConfig::ReloadConfig() {
  absl::StatusOr<std::string> text = ReadFile(path_, kMaxConfigBytes);
  if (std::exchange(seen_, text) == text) return;
  std::vector<std::string> needs_restart;
  absl::StatusOr<LoadedConfig> next = text.ok() ? Next(*text, needs_restart) : text.status();
  if (!next.ok()) {
    ++refused_;
    log_.Error("the new configuration is refused, and nothing of it taken",
               {{"detail", std::string(next.status().message())}});
    return;
  }
  if (!needs_restart.empty()) {
    log_.Warning("what is new here is taken at the next start only",
                 {{"settings", absl::StrJoin(needs_restart, ", ")}});
  }
  using google::protobuf::util::MessageDifferencer;
  if (MessageDifferencer::Equals(next->effective, running_.effective)) return;
  credentials_.ReplaceTenants(next->config);
  server_.Replace(next->config, credentials_.keys());
  // Said even if one of the two would leave it out.
  log_.SetLevel(std::min(running_.config.log_level, next->config.log_level));
  log_.Info("the new configuration is taken");
  log_.SetLevel(next->config.log_level);
  running_ = *std::move(next);
  taken_at_ = std::chrono::system_clock::now();
}

// What the gateway can run with from now on. A configuration that is no good, alone or with what
// needs a restart left out, is an error.
absl::StatusOr<LoadedConfig> LiveConfig::Next(const std::string& text,
                                              std::vector<std::string>& needs_restart) const {
  const std::vector<std::string> methods = methods_.Names();
  const absl::StatusOr<LoadedConfig> wanted = LoadConfig(text, methods, UsableProcessors());
  if (!wanted.ok()) return wanted.status();
  ConfigChange change = ChangeTo(wanted->effective, running_.effective);
  needs_restart = std::move(change.needs_restart);
  absl::StatusOr<LoadedConfig> next = ResolveConfig(change.next, methods, UsableProcessors());
  if (next.ok()) return next;
  return absl::InvalidArgumentError(absl::StrCat("without what needs a restart (",
                                                 absl::StrJoin(needs_restart, ", "),
                                                 ") it is no good:\n", next.status().message()));
}

LiveConfig::Summary LiveConfig::summary() const {
  const std::lock_guard lock(mutex_);
  return {.taken_at = taken_at_,
          .refused = refused_,
          .tenants = running_.config.tenants.size(),
          .callers = static_cast<size_t>(running_.effective.callers_size()),
          .labels_tenants = running_.config.labels_tenants,
          .shows_status = running_.config.shows_status};
}

std::vector<std::string> LiveConfig::files() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> files = credentials_.files();
  files.push_back(path_);
  return files;
}

DrainTimes LiveConfig::drain() const {
  const std::lock_guard lock(mutex_);
  return running_.config.drain;
}

}  // namespace idv
