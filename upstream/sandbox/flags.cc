#include "upstream/sandbox/flags.h"

#include <CLI/CLI.hpp>
#include <variant>

#include "upstream/sandbox/address.h"
#include "upstream/sandbox/duration.h"
#include "upstream/sandbox/fault_json.h"
#include "upstream/sandbox/rate_limiter.h"
#include "upstream/sandbox/url.h"

namespace idv::sandbox {

void Describe(CLI::App& app, Flags& flags) {
  const auto is_address = [](const std::string& text) {
    return ParseAddress(text) ? "" : "must be an IP address or localhost, a colon and a port";
  };
  const auto is_duration = [](const std::string& text) {
    return ParseDuration(text) ? "" : "must be a duration such as 50ms or 2s";
  };
  const auto is_plan = [](const std::string& text) {
    return FindPlan(text) ? std::string() : "must be " + std::string(PlanNames());
  };
  const auto is_url = [](const std::string& text) {
    return ParseUrl(text) ? "" : "must be a URL of http or https";
  };
  const auto is_fault = [](const std::string& text) {
    const auto parsed = ParseFaultText(text);
    const auto* const problems = std::get_if<std::string>(&parsed);
    return problems == nullptr ? std::string() : *problems;
  };
  app.set_version_flag("--version", "idv-sandbox " IDV_VERSION);
  app.add_option("--listen", flags.listen, "Where to listen; port 0 takes a free one")
      ->type_name("HOST:PORT")
      ->capture_default_str()
      ->check(is_address);
  auto* const tenants =
      app.add_option("--tenants", flags.tenants_file, "YAML file with tenants, keys and scopes")
          ->type_name("FILE");
  app.add_option("--plan", flags.plan, "Rate limit of the tenant that is there without --tenants")
      ->type_name("NAME")
      ->check(is_plan)
      ->excludes(tenants);
  app.add_option("--webhook-url", flags.webhook_url,
                 "Where webhooks of the tenant without --tenants go to, besides each callbackUrl")
      ->type_name("URL")
      ->check(is_url)
      ->excludes(tenants);
  app.add_option("--webhook-secret", flags.webhook_secret,
                 "What webhooks of the tenant without --tenants are signed with")
      ->type_name("SECRET")
      ->capture_default_str()
      ->excludes(tenants);
  app.add_option("--webhook-ca", flags.webhook_ca,
                 "Authorities (PEM) to trust at webhooks, besides the system's")
      ->type_name("FILE");
  app.add_option("--attempts-per-day", flags.attempts_per_day,
                 "Verifications of a subject that may be made in a day (UTC); 0 = any number")
      ->type_name("N")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  app.add_option("--max-body", flags.max_body_bytes, "The largest body of a request [32MiB]")
      ->type_name("SIZE")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/false));
  app.add_option("--latency", flags.latency, "Delay of every answer")
      ->type_name("DURATION")
      ->capture_default_str()
      ->check(is_duration);
  app.add_option("--hang", flags.hang, "Never answer requests whose path starts so (repeatable)")
      ->type_name("PATH_PREFIX");
  app.add_option("--fault", flags.faults,
                 "A fault, as POST /__sandbox/faults takes it (repeatable)")
      ->type_name("JSON")
      ->take_all()
      ->allow_extra_args(false)
      ->check(is_fault);
  app.add_option("--faults", flags.faults_file, "YAML file with faults")->type_name("FILE");
  app.add_option("--state", flags.state_file, "Keep verifications and alerts in this file")
      ->type_name("FILE");
  auto* const certificate =
      app.add_option("--tls-cert", flags.tls_certificate, "Serve TLS with this chain (PEM)")
          ->type_name("FILE");
  auto* const key =
      app.add_option("--tls-key", flags.tls_key, "Private key of the certificate (PEM)")
          ->type_name("FILE")
          ->needs(certificate);
  certificate->needs(key);
}

}  // namespace idv::sandbox
