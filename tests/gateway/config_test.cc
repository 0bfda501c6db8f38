#include "gateway/config.h"

#include <absl/strings/str_replace.h>
#include <absl/strings/str_split.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace idv {
namespace {

const std::vector<std::string> kMethods = {"kora.idv.v1.VerificationService/CreateVerification",
                                           "kora.idv.v1.ReferenceService/GetUpstreamHealth"};

const std::string kMinimal = R"(
listen: {grpc: ["127.0.0.1:0"]}
upstream: {base_url: "https://vendor.example/api/v1/idv/"}
tenants: [{name: acme, tenant_id: 550e8400-e29b-41d4-a716-446655440000, api_key: {env: KEY}}]
callers: [{identity: local, tenants: [acme], methods: ["*"]}]
)";

absl::StatusOr<LoadedConfig> Load(const std::string& text, int processors = 8) {
  return LoadConfig(text, kMethods, processors);
}

std::vector<std::string> ProblemsOf(const std::string& text) {
  return absl::StrSplit(Load(text).status().message(), '\n', absl::SkipEmpty());
}

TEST(ConfigTest, FillsInTheDefaults) {
  const auto loaded = Load(kMinimal);

  ASSERT_TRUE(loaded.ok()) << loaded.status();
  const Config& config = loaded->config;
  EXPECT_THAT(config.grpc_addresses, testing::ElementsAre("127.0.0.1:0"));
  EXPECT_TRUE(config.reflection);
  EXPECT_EQ(config.upstream.base_url, "https://vendor.example/api/v1/idv");
  EXPECT_EQ(config.upstream.health_url, "");
  EXPECT_EQ(config.upstream.http.connect_timeout, std::chrono::seconds(3));
  EXPECT_EQ(config.upstream.http.max_response_bytes, 8U << 20);
  EXPECT_EQ(config.limits.max_message_bytes, 4U << 20);
  EXPECT_EQ(config.limits.max_image_bytes, 10U << 20);
  EXPECT_EQ(config.limits.default_deadline, std::chrono::seconds(10));
  EXPECT_EQ(config.limits.max_deadline, std::chrono::seconds(120));
  EXPECT_EQ(config.unix_mode, 0660U);
  EXPECT_EQ(config.caps.in_flight, 2000);
  EXPECT_EQ(config.caps.in_flight_per_tenant, 1000);
  EXPECT_EQ(config.caps.in_flight_per_caller, 500);
  EXPECT_EQ(config.caps.upload_bytes, 256U << 20);
  EXPECT_EQ(config.connections.max, 1000);
  EXPECT_EQ(config.connections.max_streams_each, 256);
  EXPECT_EQ(config.connections.max_age, std::chrono::minutes(10));
  EXPECT_EQ(config.connections.max_age_grace, std::chrono::seconds(60));
  EXPECT_EQ(config.connections.keepalive_time, std::chrono::seconds(30));
  EXPECT_EQ(config.drain.settle, std::chrono::seconds(5));
  EXPECT_EQ(config.drain.unary_grace, std::chrono::seconds(10));
  EXPECT_EQ(config.drain.stream_grace, std::chrono::seconds(30));
  EXPECT_EQ(config.frames.keys.challenge_type, "challengeType");
  EXPECT_EQ(config.frames.keys.frames_per_second, "fps");
  EXPECT_EQ(config.frames.keys.frames, "frames");
  EXPECT_EQ(config.frames.keys.timestamps, "timestamps");
  EXPECT_FALSE(config.frames.buffered);
  EXPECT_EQ(config.frames.max_message_bytes, 4U << 20);
  EXPECT_EQ(config.frames.max_frame_bytes, 2U << 20);
  EXPECT_EQ(config.frames.max_frames, 600);
  EXPECT_EQ(config.frames.max_stream_bytes, 31U << 20);
  EXPECT_EQ(config.frames.idle, std::chrono::seconds(10));
  EXPECT_EQ(config.frames.upstream_stall, std::chrono::seconds(10));
  EXPECT_EQ(config.tenants.at(0).api_key.place, "KEY");
  EXPECT_EQ(loaded->effective.limits().max_image(), "10MiB");
}

TEST(ConfigTest, MakesOneShardForEveryTwoProcessors) {
  EXPECT_EQ(Load(kMinimal, 1)->config.shards, 1);
  EXPECT_EQ(Load(kMinimal, 2)->config.shards, 1);
  EXPECT_EQ(Load(kMinimal, 8)->config.shards, 4);
  EXPECT_EQ(Load(kMinimal + "shards: 3\n", 8)->config.shards, 3);
}

TEST(ConfigTest, CompilesThePolicy) {
  const auto loaded = Load(kMinimal);

  EXPECT_EQ(loaded->config.policy.Authorize("local", 0, "acme").kind,
            Policy::Verdict::Kind::kAllowed);
}

TEST(ConfigTest, TakesPlaintextForThisMachineOnly) {
  const auto with_address = [](const std::string& address) {
    return Load(absl::StrReplaceAll(kMinimal, {{"127.0.0.1:0", address}}));
  };
  for (const std::string good :
       {"127.0.0.1:8080", "localhost:1", "[::1]:8080", "127.1.2.3:65535", "unix:/run/a.sock"}) {
    EXPECT_TRUE(with_address(good).ok()) << with_address(good).status();
  }
  for (const std::string bad :
       {"0.0.0.0:8080", "[::]:8080", "10.0.0.1:8080", "127.evil.example:1", "127.0.0.1",
        "127.0.0.1:x", "127.0.0.1:65536", "unix:relative", "", "127.0.0.1:-1"}) {
    EXPECT_FALSE(with_address(bad).ok()) << bad;
  }
}

TEST(ConfigTest, TakesPlaintextUpstreamsOnThisMachineOnly) {
  const auto with_url = [](const std::string& url) {
    return Load(absl::StrReplaceAll(kMinimal, {{"https://vendor.example/api/v1/idv/", url}}));
  };
  for (const std::string good : {"http://127.0.0.1:8081/api", "http://localhost:1",
                                 "http://[::1]:8081", "https://a.example"}) {
    EXPECT_TRUE(with_url(good).ok()) << good << with_url(good).status();
  }
  for (const std::string bad :
       {"http://vendor.example", "ftp://127.0.0.1", "vendor.example", "", "https://",
        "https://u:p@a.example", "https://a.example?q=1", "https://a.example#f"}) {
    EXPECT_FALSE(with_url(bad).ok()) << bad;
  }
}

TEST(ConfigTest, TakesACertificateAndPinsForAnUpstreamWithTls) {
  const std::string pin = "sha256//" + std::string(43, 'A') + "=";
  const std::string other = "sha256//" + std::string(42, 'z') + "w=";
  const auto with = [](const std::string& keys) {
    return absl::StrReplaceAll(kMinimal, {{"upstream: {", "upstream: {" + keys + ", "}});
  };
  const auto loaded =
      Load(with("cert_file: a, key_file: b, pin: [\"" + pin + "\", \"" + other + "\"]"));
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->config.upstream.http.cert_file, "a");
  EXPECT_EQ(loaded->config.upstream.http.key_file, "b");
  EXPECT_THAT(loaded->config.upstream.http.pins, testing::ElementsAre(pin, other));

  EXPECT_THAT(ProblemsOf(with("cert_file: a")),
              testing::ElementsAre(testing::StartsWith("upstream.key_file: expected")));
  EXPECT_THAT(ProblemsOf(with("key_file: b")),
              testing::ElementsAre(testing::StartsWith("upstream.cert_file: expected")));
  const std::string bare = pin.substr(8);
  for (const std::string& bad :
       {std::string(), bare, "sha256/" + bare, "SHA256//" + bare, "sha1//" + bare,
        pin.substr(0, 51), pin + "=", pin + ";" + pin, " " + pin, pin + " ",
        std::string("sha256//"),
        // 31 and 33 bytes, the alphabet for URLs, and bits that are not of the 32 bytes.
        "sha256//" + std::string(42, 'A') + "==", "sha256//" + std::string(44, 'A'),
        "sha256//" + std::string(42, '_') + "8=", "sha256//" + std::string(42, 'A') + "B="}) {
    EXPECT_THAT(ProblemsOf(with("pin: [\"" + pin + "\", \"" + bad + "\"]")),
                testing::ElementsAre(testing::StartsWith("upstream.pin[1]: expected \"sha256//")))
        << bad;
  }
}

TEST(ConfigTest, TakesNeitherForAnUpstreamWithPlaintext) {
  const std::string pin = "sha256//" + std::string(43, 'A') + "=";
  const std::string plaintext = "upstream: {base_url: \"http://localhost\", ";
  EXPECT_THAT(ProblemsOf(absl::StrReplaceAll(
                  kMinimal, {{"upstream: {base_url: \"https://vendor.example/api/v1/idv/\"",
                              plaintext + "cert_file: a, key_file: b, pin: [\"" + pin + "\"]"}})),
              testing::ElementsAre("upstream.cert_file: needs an https upstream.base_url",
                                   "upstream.pin: needs an https upstream.base_url"));
}

TEST(ConfigTest, LetsOnlyTheUpstreamsHostsBePrivate) {
  const auto with = [](const std::string& keys) {
    return absl::StrReplaceAll(kMinimal, {{"upstream: {", "upstream: {" + keys + ", "}});
  };
  const auto loaded =
      Load(with("health_url: \"https://health.example:1/a\", private_hosts: [health.example, "
                "Vendor.Example]"));
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_THAT(loaded->config.upstream.http.private_hosts,
              testing::ElementsAre("health.example", "Vendor.Example"));

  for (const std::string bad : {"\"\"", "other.example", "vendor.example:443",
                                "\"https://vendor.example\"", "example", "\"*\"", "10.0.0.0/8"}) {
    EXPECT_THAT(ProblemsOf(with("private_hosts: [vendor.example, " + bad + "]")),
                testing::ElementsAre(testing::StartsWith("upstream.private_hosts[1]: expected")))
        << bad;
  }
}

TEST(ConfigTest, ServesBeyondThisMachineByTlsOnly) {
  const std::string tls = "tls: {cert_file: a, key_file: b, client_ca_file: c}";
  const auto with_listen = [](const std::string& listen, const std::string& identity = "local") {
    return absl::StrReplaceAll(kMinimal, {{"listen: {", "listen: {" + listen + ", "},
                                          {"identity: local", "identity: " + identity}});
  };
  const auto with_grpc = [&](const std::string& grpc, const std::string& identity) {
    return "listen: {grpc: [" + grpc + "], " + tls + "}\n" +
           absl::StrReplaceAll(kMinimal.substr(kMinimal.find("upstream:")),
                               {{"identity: local", "identity: \"" + identity + "\""}});
  };
  for (const std::string address : {"0.0.0.0:8443", "\"[::]:8443\"", "gateway.kyc:0"}) {
    EXPECT_TRUE(Load(with_grpc(address, "spiffe://a/*")).ok()) << address;
  }
  EXPECT_TRUE(Load(with_grpc("0.0.0.0:8443, \"unix:/a\"", "local")).ok());
  EXPECT_THAT(ProblemsOf(with_grpc("0.0.0.0:8443", "local")),
              testing::ElementsAre(testing::StartsWith("callers[0].identity: 'local' comes by")));
  EXPECT_THAT(ProblemsOf(with_grpc("\"unix:/a\"", "local")),
              testing::ElementsAre("listen.tls: no address of listen.grpc is HOST:PORT"));
  EXPECT_THAT(ProblemsOf(with_grpc("\":1\", \"a:65536\"", "b")),
              testing::ElementsAre(testing::StartsWith("listen.grpc[0]: ':1' is neither"),
                                   testing::StartsWith("listen.grpc[1]: 'a:65536' is neither")));
  EXPECT_THAT(ProblemsOf(with_listen("tls: {}")),
              testing::Contains(testing::StartsWith("listen.tls.cert_file: ")));
  EXPECT_THAT(ProblemsOf(with_listen("tls: {}")),
              testing::Contains(testing::StartsWith("listen.tls.key_file: ")));
  EXPECT_THAT(ProblemsOf(with_listen("tls: {}")),
              testing::Contains(testing::StartsWith("listen.tls.client_ca_file: ")));
  EXPECT_THAT(ProblemsOf(kMinimal + "authentication: {mtls: {identity: spiffe}}\n"),
              testing::ElementsAre(testing::StartsWith("authentication.mtls: needs listen.tls")));
  EXPECT_THAT(ProblemsOf(with_grpc("a:1", "b") + "authentication: {mtls: {identity: name}}\n"),
              testing::ElementsAre(testing::StartsWith("authentication.mtls.identity: expected")));
}

TEST(ConfigTest, KnowsCallersByTokensOnAnyListener) {
  const std::string jwt = "{issuer: i, audience: a, jwks_file: f}";
  const auto with = [](const std::string& listen, const std::string& tokens,
                       const std::string& identity) {
    return absl::StrReplaceAll(kMinimal, {{"listen: {", "listen: {" + listen},
                                          {"identity: local", "identity: " + identity}}) +
           "authentication: {jwt: [" + tokens + "]}\n";
  };
  const auto loaded = Load(with("", jwt, "anybody"));
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  ASSERT_EQ(loaded->config.token_issuers.size(), 1U);
  EXPECT_EQ(loaded->config.token_issuers[0].identity_claim, "sub");
  EXPECT_TRUE(loaded->config.caller_rules.is_plaintext_local);

  const auto insecure = Load(
      absl::StrReplaceAll(with("insecure: true, ", jwt, "anybody"), {{"127.0.0.1", "0.0.0.0"}}));
  ASSERT_TRUE(insecure.ok()) << insecure.status();
  EXPECT_FALSE(insecure->config.caller_rules.is_plaintext_local);
  const std::string tls = "tls: {cert_file: a, key_file: b}, ";
  EXPECT_TRUE(Load(with(tls, jwt, "anybody")).ok());

  EXPECT_THAT(ProblemsOf(with("insecure: true, ", "", "anybody")),
              testing::Contains(testing::StartsWith("listen.insecure: needs")));
  EXPECT_THAT(ProblemsOf(with("insecure: true, " + tls, jwt, "anybody")),
              testing::ElementsAre("listen.insecure: contradicts listen.tls"));
  EXPECT_THAT(ProblemsOf(with(tls, "", "anybody")),
              testing::ElementsAre(testing::StartsWith("listen.tls.client_ca_file: expected")));
  EXPECT_THAT(ProblemsOf(with("", "{}, " + jwt + ", " + jwt, "anybody")),
              testing::ElementsAre(testing::StartsWith("authentication.jwt[0].issuer: "),
                                   testing::StartsWith("authentication.jwt[0].audience: "),
                                   testing::StartsWith("authentication.jwt[0].jwks_file: "),
                                   "authentication.jwt[2].issuer: another one has it already"));
}

TEST(ConfigTest, TakesKeysFromAVault) {
  const auto loaded = Load(R"(
listen: {grpc: ["127.0.0.1:0"]}
upstream: {base_url: "https://vendor.example"}
vault: {address: "https://vault.example:8200/", auth: {kubernetes: {role: idv}}}
tenants:
- {name: acme, tenant_id: 550e8400-e29b-41d4-a716-446655440000,
   api_key: {vault: {path: secret/data/idv/acme, field: api_key}}}
callers: [{identity: local, tenants: ['*'], methods: ['*']}]
)",
                           2);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  const Config::Secrets& secrets = loaded->config.secrets;
  ASSERT_TRUE(secrets.vault.has_value());
  EXPECT_EQ(secrets.vault->address, "https://vault.example:8200");
  EXPECT_EQ(secrets.vault->role, "idv");
  EXPECT_EQ(secrets.vault->mount, "kubernetes");
  EXPECT_EQ(secrets.vault->jwt_file, "/var/run/secrets/kubernetes.io/serviceaccount/token");
  EXPECT_EQ(secrets.overlap, std::chrono::minutes(10));
  EXPECT_EQ(secrets.poll, std::chrono::seconds(30));
  const SecretSource expected{SecretSource::Kind::kVault, "secret/data/idv/acme", "api_key"};
  EXPECT_EQ(loaded->config.tenants.at(0).api_key, expected);
}

TEST(ConfigTest, ReportsWhatIsWrongWithAVault) {
  const std::string acme =
      "tenants: [{name: acme, tenant_id: 550e8400-e29b-41d4-a716-446655440000, ";
  const auto problems = [&](const std::string& key, const std::string& more) {
    return ProblemsOf("listen: {grpc: ['127.0.0.1:0']}\nupstream: {base_url: 'https://v'}\n" +
                      acme + "api_key: " + key +
                      "}]\ncallers: [{identity: local, tenants: ['*'], methods: ['*']}]\n" + more);
  };
  const std::string good = "{vault: {path: secret/data/acme, field: key}}";
  EXPECT_THAT(problems(good, ""),
              testing::ElementsAre("tenants[0].api_key.vault: needs vault, at the top"));
  EXPECT_THAT(
      problems("{vault: {path: '/../x'}}", "vault: {address: 'http://vault.example'}"),
      testing::UnorderedElementsAre(testing::StartsWith("vault.address: expected https://"),
                                    testing::StartsWith("vault.auth: expected one of"),
                                    testing::StartsWith("tenants[0].api_key.vault.path: "),
                                    testing::StartsWith("tenants[0].api_key.vault.field: ")));
  EXPECT_THAT(problems(good,
                       "vault: {address: 'https://v', auth: {jwt: {mount: '/'}}}\n"
                       "secrets: {poll: 10ms, overlap: never}"),
              testing::UnorderedElementsAre(testing::StartsWith("vault.auth.jwt.role: "),
                                            testing::StartsWith("vault.auth.jwt.mount: "),
                                            testing::StartsWith("secrets.poll: expected 1000ms"),
                                            testing::StartsWith("secrets.overlap: ")));
  EXPECT_THAT(problems("{file: f}", "secrets: {poll: 1s}"),
              testing::ElementsAre("secrets.poll: needs vault"));
}

TEST(ConfigTest, ServesPagesOnIpv4Only) {
  const auto problems = [](const std::string& admin) {
    return ProblemsOf(
        absl::StrReplaceAll(kMinimal, {{"listen: {", "listen: {admin: '" + admin + "', "}}));
  };

  EXPECT_THAT(problems("0.0.0.0:9090"), testing::IsEmpty());
  EXPECT_THAT(problems("[::]:9090"),
              testing::ElementsAre(testing::StartsWith("listen.admin: expected an IPv4 address")));
  EXPECT_THAT(problems("nowhere"),
              testing::ElementsAre("listen.admin: 'nowhere' is not HOST:PORT"));
}

TEST(ConfigTest, TakesARedisToCountIn) {
  const auto loaded = Load(kMinimal +
                           "budget: {redis: {address: \"redis.kyc:6379\", password_file: /p, tls: "
                           "true, ca_file: /ca, cert_file: /c, key_file: /k}}");

  ASSERT_TRUE(loaded.ok()) << loaded.status();
  ASSERT_TRUE(loaded->config.redis);
  const Config::Redis& redis = *loaded->config.redis;
  EXPECT_EQ(redis.password_file, "/p");
  EXPECT_EQ(redis.connection.address, "redis.kyc:6379");
  EXPECT_TRUE(redis.connection.tls);
  EXPECT_EQ(redis.connection.ca_file, "/ca");
  EXPECT_EQ(redis.connection.cert_file, "/c");
  EXPECT_EQ(redis.connection.key_file, "/k");
  EXPECT_FALSE(Load(kMinimal)->config.redis);
}

TEST(ConfigTest, ReportsWhatIsWrongWithARedis) {
  EXPECT_THAT(ProblemsOf(kMinimal + "budget: {redis: {ca_file: /ca, key_file: /k}}"),
              testing::ElementsAre("budget.redis.address: expected HOST:PORT",
                                   "budget.redis.ca_file: needs tls: true",
                                   "budget.redis.key_file: needs tls: true",
                                   "budget.redis.cert_file: expected with key_file, or neither of "
                                   "both"));
}

TEST(ConfigTest, ReportsEveryProblemAtOnceByPath) {
  EXPECT_THAT(
      ProblemsOf(R"(
listen: {grpc: ["0.0.0.0:1"], grcp: [], unix_mode: "0999", admin: "unix:/x"}
upstream: {base_url: "http://vendor.example", health_url: "x", connect_timeout: 3,
           liveness_frames: {frames_key: 'a"b', timestamps_key: fps}}
tenants:
- {name: Acme, tenant_id: 1}
- {name: Acme, tenant_id: 550e8400-e29b-41d4-a716-446655440000, api_key: {env: KEY}}
callers:
- {identity: someone, tenants: [nobody], methods: [nothing]}
- {identity: local}
limits: {max_message: 4MB, max_image: 1, default_deadline: 5m, max_deadline: 1m, max_in_flight: 0,
         max_connections: -1, max_in_flight_per_tenant: 1000001, frame_bytes: 2, frames: 0,
         stream_bytes: 65GiB, frame_idle: x, upstream_stall: 0s}
drain: {unary_grace: 0s, settle: soon, stream_grace: later}
connection: {max_age: 481h, keepalive_time: 999ms}
log: {level: loud}
shards: 65
)"),
      testing::UnorderedElementsAre(
          testing::HasSubstr("listen.grcp: unknown key"), testing::StartsWith("listen.grpc[0]: "),
          testing::StartsWith("upstream.base_url: "), testing::StartsWith("upstream.health_url: "),
          testing::StartsWith("upstream.connect_timeout: "),
          testing::StartsWith("upstream.liveness_frames.frames_key: expected 1 to 63"),
          testing::StartsWith("upstream.liveness_frames.timestamps_key: another"),
          testing::StartsWith("tenants[0].name: "), testing::StartsWith("tenants[0].tenant_id: "),
          testing::StartsWith("tenants[0].api_key: "),
          testing::StartsWith("tenants[1].name: expected 1 to 63"),
          testing::StartsWith("tenants[1].name: another"),
          testing::StartsWith("callers[0].identity: "),
          testing::StartsWith("callers[0]: no tenant"),
          testing::StartsWith("callers[0]: no method"), testing::StartsWith("callers[1].methods: "),
          testing::StartsWith("callers[1].tenants: "), testing::StartsWith("limits.max_message: "),
          testing::StartsWith("limits.max_image: "),
          testing::StartsWith("limits.default_deadline: "), testing::StartsWith("listen.admin: "),
          testing::StartsWith("listen.unix_mode: "), testing::StartsWith("limits.max_in_flight: "),
          testing::StartsWith("limits.max_connections: "),
          testing::StartsWith("limits.max_in_flight_per_tenant: "),
          testing::StartsWith("limits.frame_bytes: "), testing::StartsWith("limits.frames: "),
          testing::StartsWith("limits.stream_bytes: expected 1KiB to 64GiB"),
          testing::StartsWith("limits.frame_idle: "),
          testing::StartsWith("limits.upstream_stall: "),
          testing::StartsWith("drain.unary_grace: "), testing::StartsWith("drain.settle: "),
          testing::StartsWith("drain.stream_grace: "), testing::StartsWith("connection.max_age: "),
          testing::StartsWith("connection.keepalive_time: "), testing::StartsWith("log.level: "),
          testing::StartsWith("shards: ")));
}

TEST(ConfigTest, TellsAProblemInOneLineWhateverIsInIt) {
  EXPECT_THAT(ProblemsOf(kMinimal + "\"a\\n\\rb\": 1\ndrain: {unary_grace: \"1\\n\"}\n"),
              testing::UnorderedElementsAre(testing::StartsWith("a  b: unknown key"),
                                            testing::StartsWith("drain.unary_grace: '1 ' is no")));
}

TEST(ConfigTest, NamesWhatAnEmptyFileLacks) {
  EXPECT_THAT(ProblemsOf(""),
              testing::UnorderedElementsAre(
                  testing::StartsWith("listen.grpc: "), testing::StartsWith("upstream.base_url: "),
                  testing::StartsWith("tenants: "), testing::StartsWith("callers: ")));
}

TEST(ConfigTest, TakesNoSettlingAtAll) {
  EXPECT_EQ(Load(kMinimal + "drain: {settle: 0s}\n")->config.drain.settle, std::chrono::seconds(0));
}

TEST(ConfigTest, TakesAUnixModeInOctal) {
  const auto with_mode = [](const std::string& mode) {
    return Load(absl::StrReplaceAll(
        kMinimal, {{"\"127.0.0.1:0\"]", "\"unix:/s\"], unix_mode: \"" + mode + "\""}}));
  };
  EXPECT_EQ(with_mode("0600")->config.unix_mode, 0600U);
  EXPECT_EQ(with_mode("666")->config.unix_mode, 0666U);
  for (const char* bad : {"rw-rw----", "8", "0o660", "1777", "06666", "-660"}) {
    EXPECT_FALSE(with_mode(bad).ok()) << bad;
  }
}

TEST(ConfigTest, RefusesUploadMemoryThatNoUploadFitsInto) {
  EXPECT_THAT(ProblemsOf(kMinimal + "limits: {upload_memory: 13MiB}\n"),
              testing::ElementsAre(testing::StartsWith("limits.upload_memory: ")));
}

TEST(ConfigTest, RefusesFramesThatDoNotFit) {
  EXPECT_THAT(ProblemsOf(kMinimal + "limits: {frame_bytes: 24MiB}\n"),
              testing::ElementsAre(testing::StartsWith("limits.stream_bytes: expected more")));
  const std::string buffered = absl::StrReplaceAll(
      kMinimal, {{"upstream: {", "upstream: {liveness_frames: {buffered: true}, "}});
  EXPECT_TRUE(Load(buffered).ok());
  EXPECT_THAT(ProblemsOf(buffered + "limits: {upload_memory: 31MiB}\n"),
              testing::ElementsAre(testing::HasSubstr("since frames are buffered")));
}

TEST(ConfigTest, GivesStreamsNotLessTimeToEndThanOtherCalls) {
  EXPECT_EQ(Load(kMinimal + "drain: {unary_grace: 40s}\n")->config.drain.stream_grace,
            std::chrono::seconds(40));
}

TEST(ConfigTest, RefusesAPathThatNoSocketCanHave) {
  EXPECT_THAT(ProblemsOf(absl::StrReplaceAll(kMinimal,
                                             {{"127.0.0.1:0", "unix:/" + std::string(101, 'x')}})),
              testing::ElementsAre(testing::StartsWith("listen.grpc[0]: expected a path")));
}

TEST(ConfigTest, TakesEveryExampleInDeploy) {
  std::ifstream file("deploy/local.yaml");
  std::ostringstream text;
  text << file.rdbuf();

  const auto loaded = Load(text.str());

  EXPECT_TRUE(loaded.ok()) << loaded.status();
}

}  // namespace
}  // namespace idv
