#pragma once

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <chrono>
#include <cstdint>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>

#include "auth/fetch.h"
#include "auth/secret.h"

namespace idv {

// A secrets store that speaks the HTTP API of Vault, as OpenBao does: reads values of its key/value
// engine, version 2, and keeps a token for it valid. Blocks; thread-safe.
class Vault {
 public:
  struct Options {
    // Without a trailing slash.
    std::string address;
    std::string ca_file;
    // How to get a token: it is in a file, which is read again when it is needed; or this role is
    // logged in to, at auth/<mount>/login, by the JSON Web Token in a file.
    std::string token_file;
    std::string role;
    std::string mount;
    std::string jwt_file;
  };

  // One version of a secret; later ones have greater numbers.
  struct Version {
    int64_t number = 0;
    Secret secret;
  };

  explicit Vault(Options options) : options_(std::move(options)) {}

  // The newest version of `field` of what is at `path`, such as "secret/data/idv/acme". Errors name
  // both, and nothing of a secret: kUnavailable: no answer, or one that tells of trouble;
  // kPermissionDenied; kNotFound; kInvalidArgument: not fit for a header.
  absl::StatusOr<Version> Read(const std::string& path, const std::string& field);

 private:
  using Clock = std::chrono::steady_clock;

  absl::StatusOr<Version> ReadOnce(const std::string& path, const std::string& field);
  absl::Status EnsureToken();
  absl::Status TakeTokenFromFile();
  absl::Status LogIn();
  absl::Status Renew();
  // 0: the token does not end.
  void ScheduleRenewal(int64_t lease_seconds);
  absl::StatusOr<nlohmann::json> Ask(const std::string& path,
                                     const std::optional<nlohmann::json>& question);

  const Options options_;

  std::mutex mutex_;
  // Protected by mutex_:
  Fetcher fetcher_;
  Secret token_;
  std::optional<Clock::time_point> renew_at_;  // nothing: it does not end
  Clock::time_point down_until_;               // it did not answer
};

}  // namespace idv
