#include "gateway/config.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <curl/curl.h>

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "gateway/quantity.h"
#include "gateway/yaml_message.h"

namespace idv {
namespace {

namespace schema = kora::idv::gateway::v1;

constexpr int kMaxShards = 64;
constexpr size_t kMaxNameBytes = 63;

// The defaults stand here and in the comments of config.proto.
void FillDefaults(schema::Config& config) {
  const auto fill = [](std::string* field, const char* value) {
    if (field->empty()) *field = value;
  };
  if (!config.listen().has_reflection()) config.mutable_listen()->set_reflection(true);
  fill(config.mutable_upstream()->mutable_connect_timeout(), "3s");
  schema::Limits& limits = *config.mutable_limits();
  fill(limits.mutable_max_message(), "4MiB");
  fill(limits.mutable_max_image(), "10MiB");
  fill(limits.mutable_upstream_response(), "8MiB");
  fill(limits.mutable_default_deadline(), "10s");
  fill(limits.mutable_max_deadline(), "120s");
  fill(config.mutable_drain()->mutable_unary_grace(), "10s");
}

// The parts of a URL that matter here; nothing for what is no URL.
struct Url {
  std::string scheme;
  std::string host;
  bool has_extras = false;  // user, query or fragment

  static std::optional<Url> Parse(const std::string& text) {
    const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), curl_url_cleanup);
    if (curl_url_set(parsed.get(), CURLUPART_URL, text.c_str(), CURLU_NON_SUPPORT_SCHEME) !=
        CURLUE_OK) {
      return std::nullopt;
    }
    const auto part = [&](CURLUPart which) -> std::string {
      char* value = nullptr;
      if (curl_url_get(parsed.get(), which, &value, 0) != CURLUE_OK) return "";
      const std::unique_ptr<char, decltype(&curl_free)> owned(value, curl_free);
      return value;
    };
    const bool extras = !part(CURLUPART_USER).empty() || !part(CURLUPART_PASSWORD).empty() ||
                        !part(CURLUPART_QUERY).empty() || !part(CURLUPART_FRAGMENT).empty();
    return Url{part(CURLUPART_SCHEME), part(CURLUPART_HOST), extras};
  }
};

bool IsLoopback(absl::string_view host) {
  if (host == "localhost" || host == "[::1]" || host == "::1") return true;
  // Only digits and dots: "127.evil.example" is a name like any other.
  return absl::StartsWith(host, "127.") &&
         host.find_first_not_of("0123456789.") == absl::string_view::npos;
}

// "HOST:PORT", the host of an IPv6 address in brackets.
bool IsLoopbackAddress(absl::string_view address) {
  const size_t colon = address.rfind(':');
  int port = -1;
  return colon != absl::string_view::npos && absl::SimpleAtoi(address.substr(colon + 1), &port) &&
         port >= 0 && port <= 65535 && IsLoopback(address.substr(0, colon));
}

bool IsUuid(absl::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !absl::ascii_isxdigit(static_cast<unsigned char>(text[i]))) {
      return false;
    }
  }
  return true;
}

bool IsName(absl::string_view text) {
  return !text.empty() && text.size() <= kMaxNameBytes &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_islower(static_cast<unsigned char>(c)) ||
                  absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '-' || c == '_';
         });
}

class Resolver {
 public:
  Resolver(const std::vector<std::string>& methods, int processors,
           std::vector<std::string>& problems)
      : methods_(methods), processors_(processors), problems_(problems) {}

  Config Resolve(const schema::Config& parsed) {
    Listen(parsed.listen());
    UpstreamOf(parsed.upstream());
    Tenants(parsed);
    Callers(parsed);
    LimitsOf(parsed.limits());
    config_.unary_grace = Duration("drain.unary_grace", parsed.drain().unary_grace());
    Check(parsed.shards() >= 0 && parsed.shards() <= kMaxShards, "shards", "expected 0 to 64");
    config_.shards = parsed.shards() > 0 ? parsed.shards() : std::max(1, processors_ / 2);
    return std::move(config_);
  }

 private:
  void Listen(const schema::Listen& listen) {
    Check(listen.grpc_size() > 0, "listen.grpc", "expected at least one address");
    for (int i = 0; i < listen.grpc_size(); ++i) {
      const std::string& address = listen.grpc(i);
      Check(absl::StartsWith(address, "unix:/") || IsLoopbackAddress(address),
            absl::StrCat("listen.grpc[", i, "]"),
            absl::StrCat("'", address, "' is neither \"unix:/PATH\" nor HOST:PORT of a loopback ",
                         "address; plaintext is not served beyond this machine"));
      config_.grpc_addresses.push_back(address);
    }
    config_.reflection = listen.reflection();
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
      Check(tenant.api_key().source_case() != schema::Secret::SOURCE_NOT_SET, path + ".api_key",
            "expected {file: PATH} or {env: NAME}");
      config_.tenants.push_back({tenant.name(), tenant.tenant_id(), tenant.api_key()});
    }
  }

  void Callers(const schema::Config& parsed) {
    Check(parsed.callers_size() > 0, "callers",
          "expected at least one: who is not named here is refused");
    std::vector<Policy::Rule> rules;
    for (int i = 0; i < parsed.callers_size(); ++i) {
      const schema::Caller& caller = parsed.callers(i);
      const std::string path = absl::StrCat("callers[", i, "]");
      Check(caller.identity() == "local", path + ".identity",
            "no listener authenticates callers, so the only identity there is, is 'local'");
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

  std::chrono::milliseconds Duration(const std::string& path, const std::string& text) {
    constexpr auto kLongest = std::chrono::hours(24 * 365);
    const auto duration = ParseDuration(text);
    Check(duration.ok(), path, duration.ok() ? "" : duration.status().message());
    if (!duration.ok()) return {};
    Check(duration->count() > 0 && *duration <= kLongest, path, "expected 1ms to 8760h");
    return *duration;
  }

  size_t Size(const std::string& path, const std::string& text) {
    constexpr size_t kLargest = size_t{1} << 30;
    const auto size = ParseSize(text);
    Check(size.ok(), path, size.ok() ? "" : size.status().message());
    if (!size.ok()) return 0;
    Check(*size >= 1024 && *size <= kLargest, path, "expected 1KiB to 1GiB");
    return *size;
  }

  void Check(bool holds, absl::string_view path, absl::string_view expectation) {
    if (!holds) problems_.push_back(absl::StrCat(path, ": ", expectation));
  }

  const std::vector<std::string>& methods_;
  const int processors_;
  std::vector<std::string>& problems_;
  Config config_;
};

}  // namespace

absl::StatusOr<LoadedConfig> LoadConfig(const std::string& text,
                                        const std::vector<std::string>& methods, int processors) {
  LoadedConfig loaded;
  std::vector<std::string> problems;
  if (ReadYaml(text, loaded.effective, problems)) {
    FillDefaults(loaded.effective);
    loaded.config = Resolver(methods, processors, problems).Resolve(loaded.effective);
  }
  if (!problems.empty()) return absl::InvalidArgumentError(absl::StrJoin(problems, "\n"));
  return loaded;
}

}  // namespace idv
