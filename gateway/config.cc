#include "gateway/config.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "gateway/config_checks.h"
#include "gateway/config_defaults.h"
#include "gateway/config_spending.h"
#include "gateway/config_text.h"
#include "gateway/quantity.h"
#include "gateway/yaml_message.h"

namespace idv {
namespace {

namespace schema = kora::idv::gateway::v1;
using std::chrono::milliseconds;

constexpr int kMaxShards = 64;
constexpr size_t kLargestStream = size_t{64} << 30;
// "unix:" and a path; the kernel takes 107 bytes of path, the lock beside it has a longer one.
constexpr size_t kMaxUnixAddressBytes = 105;
constexpr milliseconds kLeastPoll{1000};
// gRPC itself pings no more often.
constexpr milliseconds kLeastKeepalive{1000};

class Resolver : ConfigChecks {
 public:
  Resolver(const std::vector<std::string>& methods, int processors,
           std::vector<std::string>& problems)
      : ConfigChecks(problems), methods_(methods), processors_(processors) {}

  Config Resolve(const schema::Config& parsed) {
    Listen(parsed.listen());
    AuthenticationOf(parsed.authentication());
    UpstreamOf(parsed.upstream());
    if (parsed.has_vault()) VaultOf(parsed.vault());
    config_.secrets.overlap =
        Duration("secrets.overlap", parsed.secrets().overlap(), milliseconds(0));
    // Without a vault nothing is polled.
    Check(parsed.has_vault() || parsed.secrets().poll().empty(), "secrets.poll", "needs vault");
    if (parsed.has_vault()) {
      config_.secrets.poll = Duration("secrets.poll", parsed.secrets().poll(), kLeastPoll);
    }
    Tenants(parsed);
    Callers(parsed);
    config_.retry = RetryOf(*this, parsed.retry());
    config_.breaker = BreakerOf(*this, parsed.breaker());
    config_.cache = CacheOf(*this, parsed.cache());
    if (parsed.budget().has_redis()) {
      config_.redis = RedisOf(*this, "budget.redis", parsed.budget().redis());
    }
    LimitsOf(parsed.limits());
    FramesOf(parsed.limits(), parsed.upstream().liveness_frames());
    CapsOf(parsed.limits());
    Connections(parsed);
    config_.drain.unary_grace = Duration("drain.unary_grace", parsed.drain().unary_grace());
    config_.drain.settle = Duration("drain.settle", parsed.drain().settle(), milliseconds(0));
    config_.drain.stream_grace = std::max(
        config_.drain.unary_grace, Duration("drain.stream_grace", parsed.drain().stream_grace()));
    const std::optional<Log::Level> level = Log::LevelOf(parsed.log().level());
    Check(level.has_value(), "log.level", "expected debug, info, warning or error");
    config_.log_level = level.value_or(Log::Level::kInfo);
    config_.logs_calls = parsed.log().access();
    config_.labels_tenants = parsed.metrics().tenant_label();
    config_.shows_status = parsed.admin().statusz();
    TracingOf(parsed.tracing());
    Check(parsed.shards() >= 0 && parsed.shards() <= kMaxShards, "shards", "expected 0 to 64");
    config_.shards = parsed.shards() > 0 ? parsed.shards() : std::max(1, processors_ / 2);
    return std::move(config_);
  }

 private:
  void Listen(const schema::Listen& listen) {
    Check(listen.grpc_size() > 0, "listen.grpc", "expected at least one address");
    for (int i = 0; i < listen.grpc_size(); ++i) {
      ListenOn(absl::StrCat("listen.grpc[", i, "]"), listen.grpc(i),
               listen.has_tls() || listen.insecure());
    }
    Check(!listen.has_tls() || !listen.insecure(), "listen.insecure", "contradicts listen.tls");
    config_.caller_rules.is_plaintext_local = !listen.insecure();
    if (listen.has_tls()) TlsOf(listen.tls());
    if (!listen.admin().empty()) AdminOf(listen.admin());
    const std::optional<mode_t> mode = ParseMode(listen.unix_mode());
    Check(mode.has_value(), "listen.unix_mode", "expected three or four octal digits, as \"0660\"");
    config_.unix_mode = mode.value_or(0);
    config_.reflection = listen.reflection();
  }

  void AdminOf(const std::string& address) {
    config_.admin_address = address;
    const std::optional<std::string> host = HostOf(address);
    Check(host.has_value() && !IsUnixAddress(address), "listen.admin",
          absl::StrCat("'", address, "' is not HOST:PORT"));
    // Debian's civetweb is built without IPv6.
    Check(!host || !absl::StartsWith(address, "["), "listen.admin",
          "expected an IPv4 address or a name: the pages cannot be served on IPv6");
  }

  void ListenOn(const std::string& path, const std::string& address, bool may_be_far) {
    config_.grpc_addresses.push_back(address);
    if (absl::StartsWith(address, "unix:/")) {
      Check(address.size() <= kMaxUnixAddressBytes, path, "expected a path of at most 100 bytes");
      return;
    }
    const std::optional<std::string> host = HostOf(address);
    Check(host.has_value() && !IsUnixAddress(address), path,
          absl::StrCat("'", address, "' is neither \"unix:/PATH\" nor HOST:PORT"));
    Check(!host || may_be_far || IsLoopback(*host), path,
          absl::StrCat("'", address,
                       "' is no loopback address; beyond this machine, listen.tls is ", "needed"));
  }

  void TlsOf(const schema::ListenTls& tls) {
    Check(!tls.cert_file().empty(), "listen.tls.cert_file", "expected the path of a PEM file");
    Check(!tls.key_file().empty(), "listen.tls.key_file", "expected the path of a PEM file");
    Check(!std::all_of(config_.grpc_addresses.begin(), config_.grpc_addresses.end(), IsUnixAddress),
          "listen.tls", "no address of listen.grpc is HOST:PORT");
    config_.tls = {.cert_file = tls.cert_file(),
                   .key_file = tls.key_file(),
                   .client_ca_file = tls.client_ca_file()};
  }

  void AuthenticationOf(const schema::Authentication& authentication) {
    for (int i = 0; i < authentication.jwt_size(); ++i) {
      JwtOf(absl::StrCat("authentication.jwt[", i, "]"), authentication.jwt(i));
    }
    const bool has_tokens = authentication.jwt_size() > 0;
    const bool asks_clients = config_.tls && !config_.tls->client_ca_file.empty();
    Check(!config_.tls || asks_clients || has_tokens, "listen.tls.client_ca_file",
          "expected the path of a PEM file, or authentication.jwt: nobody would be known");
    Check(config_.caller_rules.is_plaintext_local || has_tokens, "listen.insecure",
          "needs authentication.jwt: nobody would be known");
    if (!authentication.has_mtls()) return;
    Check(asks_clients, "authentication.mtls", "needs listen.tls.client_ca_file");
    static const std::map<std::string, CertificateIdentity> kIdentities = {
        {"spiffe", CertificateIdentity::kSpiffe},
        {"dns", CertificateIdentity::kDns},
        {"subject", CertificateIdentity::kSubject}};
    const auto identity = kIdentities.find(authentication.mtls().identity());
    Check(identity != kIdentities.end(), "authentication.mtls.identity",
          "expected spiffe, dns or subject");
    if (identity != kIdentities.end()) config_.caller_rules.certificate_identity = identity->second;
  }

  void JwtOf(const std::string& path, const schema::Jwt& jwt) {
    Check(!jwt.issuer().empty(), path + ".issuer", "expected the tokens' \"iss\"");
    Check(!jwt.audience().empty(), path + ".audience",
          "expected what must be among the tokens' \"aud\"");
    Check(jwt.jwks_file().empty() != jwt.jwks_url().empty(), path + ".jwks_file",
          "expected the path of a JSON file, or jwks_url in its place");
    if (!jwt.jwks_url().empty()) CheckedUrl(path + ".jwks_url", jwt.jwks_url());
    Check(jwt.jwks_ca_file().empty() || !jwt.jwks_url().empty(), path + ".jwks_ca_file",
          "needs jwks_url");
    const auto has_issuer = [&](const TokenVerifier::Issuer& other) {
      return other.issuer == jwt.issuer();
    };
    Check(std::none_of(config_.token_issuers.begin(), config_.token_issuers.end(), has_issuer),
          path + ".issuer", "another one has it already");
    config_.token_issuers.push_back({.issuer = jwt.issuer(),
                                     .audience = jwt.audience(),
                                     .jwks_file = jwt.jwks_file(),
                                     .jwks_url = jwt.jwks_url(),
                                     .jwks_ca_file = jwt.jwks_ca_file(),
                                     .identity_claim = jwt.identity_claim()});
  }

  // Whether anybody can be called so.
  void CheckIdentity(const std::string& path, const std::string& identity) {
    Check(!identity.empty(), path, "expected 'local' or what authentication finds");
    const bool is_local = identity == kLocalIdentity;
    const auto& addresses = config_.grpc_addresses;
    const bool has_local = (!config_.tls && config_.caller_rules.is_plaintext_local) ||
                           std::any_of(addresses.begin(), addresses.end(), IsUnixAddress);
    Check(!is_local || has_local, path,
          "'local' comes by a unix socket or by plaintext, and there is neither");
    const bool is_anybody_known = config_.tls || !config_.token_issuers.empty();
    Check(is_local || identity.empty() || is_anybody_known, path,
          absl::StrCat("no listener authenticates callers, so the only identity there is, is '",
                       kLocalIdentity, "'"));
  }

  void UpstreamOf(const schema::Upstream& upstream) {
    config_.upstream.base_url = CheckedUrl("upstream.base_url", upstream.base_url());
    while (absl::EndsWith(config_.upstream.base_url, "/")) config_.upstream.base_url.pop_back();
    if (!upstream.health_url().empty()) {
      config_.upstream.health_url = CheckedUrl("upstream.health_url", upstream.health_url());
    }
    config_.upstream.http.ca_file = upstream.ca_file();
    config_.upstream.http.connect_timeout =
        Duration("upstream.connect_timeout", upstream.connect_timeout());
    UpstreamTlsOf(upstream);
    PrivateHostsOf(upstream);
  }

  void PrivateHostsOf(const schema::Upstream& upstream) {
    const auto is_host_of = [](const std::string& url_text, const std::string& host) {
      const std::optional<Url> url = Url::Parse(url_text);
      return url && absl::EqualsIgnoreCase(url->host, host);
    };
    for (int i = 0; i < upstream.private_hosts_size(); ++i) {
      const std::string& host = upstream.private_hosts(i);
      Check(is_host_of(upstream.base_url(), host) || is_host_of(upstream.health_url(), host),
            absl::StrCat("upstream.private_hosts[", i, "]"),
            "expected the host of upstream.base_url or upstream.health_url");
      config_.upstream.http.private_hosts.push_back(host);
    }
  }

  void UpstreamTlsOf(const schema::Upstream& upstream) {
    HttpClient::Options& http = config_.upstream.http;
    http.cert_file = upstream.cert_file();
    http.key_file = upstream.key_file();
    http.pins = {upstream.pin().begin(), upstream.pin().end()};
    Check(http.cert_file.empty() || !http.key_file.empty(), "upstream.key_file",
          "expected the path of a PEM file, since there is upstream.cert_file");
    Check(http.key_file.empty() || !http.cert_file.empty(), "upstream.cert_file",
          "expected the path of a PEM file, since there is upstream.key_file");
    for (size_t i = 0; i < http.pins.size(); ++i) {
      Check(IsPin(http.pins[i]), absl::StrCat("upstream.pin[", i, "]"),
            "expected \"sha256//\" and 32 bytes in base64, which are 44 characters");
    }
    const std::optional<Url> url = Url::Parse(upstream.base_url());
    const bool is_plaintext = url && url->scheme == "http";
    Check(!is_plaintext || http.cert_file.empty(), "upstream.cert_file",
          "needs an https upstream.base_url");
    Check(!is_plaintext || http.pins.empty(), "upstream.pin", "needs an https upstream.base_url");
  }

  void TracingOf(const schema::Tracing& tracing) {
    // What is sent to a collector is no secret, so it may go over http.
    const std::optional<Url> url = Url::Parse(tracing.otlp_endpoint());
    const bool is_good = url && (url->scheme == "http" || url->scheme == "https");
    Check(tracing.otlp_endpoint().empty() || (is_good && !url->has_extras), "tracing.otlp_endpoint",
          "expected http[s]://HOST[:PORT][/PATH] without user, query or fragment");
    Check(tracing.sample_ratio() >= 0 && tracing.sample_ratio() <= 1, "tracing.sample_ratio",
          "expected 0 to 1");
    config_.tracing = {.otlp_endpoint = tracing.otlp_endpoint(),
                       .sample_ratio = tracing.sample_ratio(),
                       .propagates = tracing.propagate_upstream()};
  }

  void VaultOf(const schema::VaultServer& vault) {
    Vault::Options options{.address = CheckedUrl("vault.address", vault.address()),
                           .ca_file = vault.ca_file()};
    while (absl::EndsWith(options.address, "/")) options.address.pop_back();
    const schema::VaultAuth& auth = vault.auth();
    Check(auth.method_case() != schema::VaultAuth::METHOD_NOT_SET, "vault.auth",
          "expected one of token_file, kubernetes and jwt");
    options.token_file = auth.token_file();
    Check(!auth.has_token_file() || !auth.token_file().empty(), "vault.auth.token_file",
          "expected the path of a file");
    if (auth.has_kubernetes()) LoginOf("vault.auth.kubernetes", auth.kubernetes(), options);
    if (auth.has_jwt()) LoginOf("vault.auth.jwt", auth.jwt(), options);
    config_.secrets.vault = std::move(options);
  }

  void LoginOf(const std::string& path, const schema::VaultLogin& login, Vault::Options& options) {
    Check(!login.role().empty(), path + ".role", "expected the name of a role");
    Check(IsUrlPath(login.mount()), path + ".mount", "expected a path, as \"kubernetes\"");
    options.role = login.role();
    options.mount = login.mount();
    options.jwt_file = login.jwt_file();
  }

  SecretSource SecretOf(const std::string& path, const schema::Secret& secret) {
    Check(secret.source_case() != schema::Secret::SOURCE_NOT_SET, path,
          "expected {file: PATH}, {vault: {path: PATH, field: NAME}} or {env: NAME}");
    if (secret.has_env()) return {SecretSource::Kind::kEnvironment, secret.env(), ""};
    if (!secret.has_vault()) return {SecretSource::Kind::kFile, secret.file(), ""};
    Check(config_.secrets.vault.has_value(), path + ".vault", "needs vault, at the top");
    Check(IsUrlPath(secret.vault().path()), path + ".vault.path",
          "expected a path, as \"secret/data/idv/acme\"");
    Check(!secret.vault().field().empty(), path + ".vault.field", "expected the name of a value");
    return {SecretSource::Kind::kVault, secret.vault().path(), secret.vault().field()};
  }

  std::string CheckedUrl(const std::string& path, const std::string& text) {
    const std::optional<Url> url = Url::Parse(text);
    const bool secure =
        url && (url->scheme == "https" || (url->scheme == "http" && IsLoopback(url->host)));
    Check(secure && !url->has_extras, path,
          "expected https://HOST[:PORT][/PATH] without user, query or fragment (http:// for "
          "loopback hosts only)");
    return text;
  }

  void Tenants(const schema::Config& parsed) {
    Check(parsed.tenants_size() > 0, "tenants", "expected at least one");
    std::set<std::string> names;
    for (int i = 0; i < parsed.tenants_size(); ++i) {
      const schema::Tenant& tenant = parsed.tenants(i);
      const std::string path = absl::StrCat("tenants[", i, "]");
      Check(IsName(tenant.name()), path + ".name",
            "expected 1 to 63 lower-case letters, digits, '-' or '_'");
      Check(names.insert(tenant.name()).second, path + ".name", "another tenant has it already");
      Check(IsUuid(tenant.tenant_id()), path + ".tenant_id", "expected a UUID");
      config_.tenants.push_back({.name = tenant.name(),
                                 .tenant_id = tenant.tenant_id(),
                                 .api_key = SecretOf(path + ".api_key", tenant.api_key()),
                                 .budget = BudgetOf(*this, path, tenant, parsed.budget())});
      CheckSharedBudget(path);
    }
  }

  // The upstream counts by its own ids.
  void CheckSharedBudget(const std::string& path) {
    const Config::Tenant& last = config_.tenants.back();
    const bool agree = std::all_of(
        config_.tenants.begin(), config_.tenants.end(), [&](const Config::Tenant& other) {
          return !absl::EqualsIgnoreCase(other.tenant_id, last.tenant_id) ||
                 other.budget == last.budget;
        });
    Check(agree, path, "a tenant before it has the same tenant_id and another plan or allowance");
  }

  void Callers(const schema::Config& parsed) {
    Check(parsed.callers_size() > 0, "callers",
          "expected at least one: who is not named here is refused");
    std::vector<Policy::Rule> rules;
    for (int i = 0; i < parsed.callers_size(); ++i) {
      const schema::Caller& caller = parsed.callers(i);
      const std::string path = absl::StrCat("callers[", i, "]");
      CheckIdentity(path + ".identity", caller.identity());
      Check(caller.methods_size() > 0, path + ".methods", "expected at least one");
      Check(caller.tenants_size() > 0, path + ".tenants", "expected at least one");
      rules.push_back({caller.identity(),
                       {caller.tenants().begin(), caller.tenants().end()},
                       {caller.methods().begin(), caller.methods().end()}});
    }
    std::vector<std::string> tenants;
    tenants.reserve(config_.tenants.size());
    for (const Config::Tenant& tenant : config_.tenants) tenants.push_back(tenant.name);
    std::vector<Policy::Problem> found;
    config_.policy = Policy::Compile(rules, tenants, methods_, found);
    for (const Policy::Problem& problem : found) {
      Check(false, absl::StrCat("callers[", problem.rule, "]"), problem.what);
    }
  }

  void LimitsOf(const schema::Limits& limits) {
    config_.limits.max_message_bytes = Size("limits.max_message", limits.max_message());
    config_.limits.max_image_bytes = Size("limits.max_image", limits.max_image());
    config_.upstream.http.max_response_bytes =
        Size("limits.upstream_response", limits.upstream_response());
    config_.limits.default_deadline =
        Duration("limits.default_deadline", limits.default_deadline());
    config_.limits.max_deadline = Duration("limits.max_deadline", limits.max_deadline());
    Check(config_.limits.default_deadline <= config_.limits.max_deadline, "limits.default_deadline",
          "expected at most limits.max_deadline");
  }

  void FramesOf(const schema::Limits& limits, const schema::LivenessFrames& parsed) {
    FrameStream::Options& frames = config_.frames;
    frames.max_message_bytes = config_.limits.max_message_bytes;
    frames.max_frame_bytes = Size("limits.frame_bytes", limits.frame_bytes());
    frames.max_frames = Count("limits.frames", limits.frames());
    frames.max_stream_bytes = Size("limits.stream_bytes", limits.stream_bytes(), kLargestStream);
    const bool fits = frames.max_stream_bytes > Base64Size(frames.max_frame_bytes);
    Check(fits || frames.max_stream_bytes == 0, "limits.stream_bytes",
          "expected more than limits.frame_bytes in base64, which is a third more");
    frames.idle = Duration("limits.frame_idle", limits.frame_idle());
    frames.upstream_stall = Duration("limits.upstream_stall", limits.upstream_stall());
    frames.buffered = parsed.buffered();
    std::set<std::string> keys;
    const auto key = [&](const std::string& name, const std::string& value) {
      const std::string path = "upstream.liveness_frames." + name;
      Check(IsJsonKey(value), path,
            "expected 1 to 63 printable ASCII characters, without quotes and backslashes");
      Check(keys.insert(value).second, path, "another member is called so already");
      return value;
    };
    frames.keys.challenge_type = key("challenge_type_key", parsed.challenge_type_key());
    frames.keys.frames_per_second = key("frames_per_second_key", parsed.frames_per_second_key());
    frames.keys.frames = key("frames_key", parsed.frames_key());
    frames.keys.timestamps = key("timestamps_key", parsed.timestamps_key());
  }

  void CapsOf(const schema::Limits& limits) {
    Admission::Caps& caps = config_.caps;
    caps.in_flight = Count("limits.max_in_flight", limits.max_in_flight());
    caps.in_flight_per_tenant =
        Count("limits.max_in_flight_per_tenant", limits.max_in_flight_per_tenant());
    caps.in_flight_per_caller =
        Count("limits.max_in_flight_per_caller", limits.max_in_flight_per_caller());
    caps.upload_bytes = Size("limits.upload_memory", limits.upload_memory());
    Check(caps.upload_bytes >= config_.limits.max_message_bytes + config_.limits.max_image_bytes,
          "limits.upload_memory", "expected at least limits.max_message and max_image together");
    Check(caps.upload_bytes >= FrameStream::LeastBytes(config_.frames), "limits.upload_memory",
          config_.frames.buffered
              ? "expected at least limits.stream_bytes and 128KiB, since frames are buffered"
              : "expected at least 128KiB, for a frame stream");
  }

  void Connections(const schema::Config& parsed) {
    Config::Connections& connections = config_.connections;
    connections.max = Count("limits.max_connections", parsed.limits().max_connections());
    connections.max_streams_each =
        Count("limits.max_streams_per_connection", parsed.limits().max_streams_per_connection());
    connections.max_age = Duration("connection.max_age", parsed.connection().max_age());
    connections.max_age_grace =
        Duration("connection.max_age_grace", parsed.connection().max_age_grace());
    connections.keepalive_time = Duration("connection.keepalive_time",
                                          parsed.connection().keepalive_time(), kLeastKeepalive);
  }

  const std::vector<std::string>& methods_;
  const int processors_;
  Config config_;
};

absl::Status Refused(std::vector<std::string>& problems) {
  for (std::string& problem : problems) {
    // A key or a value in it may hold line breaks.
    std::replace_if(
        problem.begin(), problem.end(),
        [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); }, ' ');
  }
  return absl::InvalidArgumentError(absl::StrJoin(problems, "\n"));
}

}  // namespace

absl::StatusOr<LoadedConfig> LoadConfig(const std::string& text,
                                        const std::vector<std::string>& methods, int processors) {
  LoadedConfig loaded;
  std::vector<std::string> problems;
  if (ReadYaml(text, loaded.effective, problems)) {
    FillDefaults(loaded.effective);
    loaded.config = Resolver(methods, processors, problems).Resolve(loaded.effective);
  }
  if (!problems.empty()) return Refused(problems);
  return loaded;
}

absl::StatusOr<LoadedConfig> ResolveConfig(const schema::Config& effective,
                                           const std::vector<std::string>& methods,
                                           int processors) {
  LoadedConfig loaded{.config = {}, .effective = effective};
  std::vector<std::string> problems;
  loaded.config = Resolver(methods, processors, problems).Resolve(loaded.effective);
  if (!problems.empty()) return Refused(problems);
  return loaded;
}

}  // namespace idv
