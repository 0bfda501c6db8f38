#pragma once

#include <absl/status/statusor.h>
#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "auth/policy.h"
#include "auth/secret_store.h"
#include "auth/tls_files.h"
#include "auth/vault.h"
#include "gateway/admission.h"
#include "gateway/caller.h"
#include "gateway/drain_times.h"
#include "gateway/frame_stream.h"
#include "kora/idv/gateway/v1/config.pb.h"
#include "metrics/log.h"
#include "upstream/answer_cache.h"
#include "upstream/breaker.h"
#include "upstream/budget.h"
#include "upstream/redis/redis_connection.h"
#include "upstream/retry.h"
#include "upstream/upstream.h"

namespace idv {

// The configuration as the gateway uses it: checked, with every default in its place.
struct Config {
  struct Tenant {
    std::string name;
    std::string tenant_id;
    SecretSource api_key;
    Budget::Options budget;
  };

  // Answers that are given again.
  struct Cache {
    AnswerCache::Lifetime reference;
    AnswerCache::Lifetime verification;
    bool join_reads = true;
    // Empty: nothing is kept over a restart.
    std::string snapshot_dir;
  };

  struct Redis {
    RedisConnection::Options connection;
    std::string password_file;  // empty: there is no password
  };

  struct Secrets {
    std::optional<Vault::Options> vault;
    std::chrono::milliseconds overlap{};
    std::chrono::milliseconds poll{};
  };

  struct Limits {
    size_t max_message_bytes = 0;
    size_t max_image_bytes = 0;
    std::chrono::milliseconds default_deadline{};
    std::chrono::milliseconds max_deadline{};
  };

  struct Tracing {
    // Of the collector; empty: there is none.
    std::string otlp_endpoint;
    double sample_ratio = 0;
    // Whether the upstream is told of traces and request ids.
    bool propagates = false;
  };

  struct Connections {
    int max = 0;
    int max_streams_each = 0;
    std::chrono::milliseconds max_age{};
    std::chrono::milliseconds max_age_grace{};
    std::chrono::milliseconds keepalive_time{};
  };

  std::vector<std::string> grpc_addresses;
  // Empty: no pages.
  std::string admin_address;
  // Of the listeners that are no unix sockets.
  std::optional<TlsFiles> tls;
  CallerRules caller_rules;
  std::vector<TokenVerifier::Issuer> token_issuers;
  mode_t unix_mode = 0;
  bool reflection = true;
  Upstream::Options upstream;
  Secrets secrets;
  std::vector<Tenant> tenants;
  // Speaks of tenants by their place above, of methods by their place in what LoadConfig() was
  // given.
  Policy policy;
  // Where gateways count together; nothing: each counts for itself.
  std::optional<Redis> redis;
  RetryOptions retry;
  Breaker::Options breaker;
  Cache cache;
  Limits limits;
  FrameStream::Options frames;
  Admission::Caps caps;
  Connections connections;
  DrainTimes drain;
  Log::Level log_level = Log::Level::kInfo;
  bool logs_calls = true;
  // Whether series are told apart by tenant.
  bool labels_tenants = true;
  Tracing tracing;
  // Whether there is /statusz.
  bool shows_status = true;
  // How many; never 0.
  int shards = 1;
};

// Of a configuration file: ten thousand tenants have 3 MiB.
inline constexpr size_t kMaxConfigBytes = size_t{16} << 20;

struct LoadedConfig {
  Config config;
  // The same in the file's own form, with the defaults filled in: for people.
  kora::idv::gateway::v1::Config effective;
};

// Reads the schema of config.proto from YAML or JSON. `methods`: all RPCs there are, as
// "package.Service/Method"; `processors`: how many this process may use. Reads no other file and no
// secret. kInvalidArgument: every problem of the text, one a line, each with its path and what was
// expected.
absl::StatusOr<LoadedConfig> LoadConfig(const std::string& text,
                                        const std::vector<std::string>& methods, int processors);

// The same of one that has been read, with its defaults.
absl::StatusOr<LoadedConfig> ResolveConfig(const kora::idv::gateway::v1::Config& effective,
                                           const std::vector<std::string>& methods, int processors);

}  // namespace idv
