#include "gateway/config_files.h"

#include <absl/strings/str_cat.h>
#include <unistd.h>

#include <string>

#include "auth/secret.h"
#include "auth/tls_files.h"
#include "upstream/cache_snapshots.h"

namespace idv {
namespace {

absl::Status Problem(absl::string_view key, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::InvalidArgumentError(absl::StrCat(key, ": ", status.message()));
}

absl::Status CheckSnapshotDirectory(const std::string& directory) {
  if (directory.empty()) return absl::OkStatus();
  return Problem("cache.reference.snapshot_dir", CacheSnapshots::Check(directory));
}

// Of a client: whom it trusts, and what it shows. `key`: of both in the configuration.
absl::Status CheckClientTls(const std::string& key, const std::string& ca_file,
                            const std::string& cert_file, const std::string& key_file) {
  if (!ca_file.empty() && access(ca_file.c_str(), R_OK) != 0) {
    return absl::InvalidArgumentError(absl::StrCat(key, ".ca_file: ", ca_file, " cannot be read"));
  }
  if (cert_file.empty()) return absl::OkStatus();
  const auto shown =
      ReadTlsFiles({.cert_file = cert_file, .key_file = key_file, .client_ca_file = ""});
  return Problem(absl::StrCat(key, ".cert_file"), shown.status());
}

absl::Status CheckRedis(const Config::Redis& redis) {
  if (!redis.password_file.empty()) {
    const auto password = ReadSecretFile(redis.password_file);
    if (!password.ok()) return Problem("budget.redis.password_file", password.status());
  }
  const RedisConnection::Options& connection = redis.connection;
  return CheckClientTls("budget.redis", connection.ca_file, connection.cert_file,
                        connection.key_file);
}

}  // namespace

absl::Status CheckFiles(const Config& config) {
  if (absl::Status status = CheckSnapshotDirectory(config.cache.snapshot_dir); !status.ok()) {
    return status;
  }
  if (config.redis) {
    if (absl::Status status = CheckRedis(*config.redis); !status.ok()) return status;
  }
  const HttpClient::Options& http = config.upstream.http;
  return CheckClientTls("upstream", http.ca_file, http.cert_file, http.key_file);
}

}  // namespace idv
