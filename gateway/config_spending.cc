#include "gateway/config_spending.h"

#include <absl/strings/str_cat.h>

#include <optional>

#include "gateway/config_text.h"

namespace idv {
namespace {

namespace schema = kora::idv::gateway::v1;
using std::chrono::milliseconds;

constexpr char kUnlimitedPlan[] = "unlimited";

// A call waits so long for what it does not need to go on.
constexpr milliseconds kRedisTimeout{250};

// The upstream's plans (its documentation, reference/rate-limits).
std::optional<Allowance::Limits> PlanOf(const std::string& name) {
  if (name == "basic") return Allowance::Limits{.per_minute = 10, .per_hour = 300};
  if (name == "professional") return Allowance::Limits{.per_minute = 50, .per_hour = 1500};
  if (name == "enterprise") return Allowance::Limits{.per_minute = 200, .per_hour = 6000};
  return std::nullopt;
}

}  // namespace

Budget::Options BudgetOf(ConfigChecks& checks, const std::string& path,
                         const schema::Tenant& tenant, const schema::Budget& budget) {
  Budget::Options options;
  options.queue = checks.Count("budget.queue", budget.queue());
  if (!tenant.plan().empty()) {
    checks.Check(!tenant.has_allowance(), path + ".allowance", "contradicts plan");
    const std::optional<Allowance::Limits> plan = PlanOf(tenant.plan());
    options.is_unlimited = tenant.plan() == kUnlimitedPlan;
    checks.Check(plan || options.is_unlimited, path + ".plan",
                 "expected basic, professional, enterprise or unlimited");
    options.limits = plan.value_or(Allowance::Limits());
  }
  if (!tenant.has_allowance()) return options;
  const schema::Allowance& allowance = tenant.allowance();
  checks.Check(allowance.has_requests_per_minute() || allowance.has_requests_per_hour(),
               path + ".allowance", "expected requests_per_minute or requests_per_hour, or both");
  if (allowance.has_requests_per_minute()) {
    options.limits.per_minute =
        checks.Count(path + ".allowance.requests_per_minute", allowance.requests_per_minute());
  }
  if (allowance.has_requests_per_hour()) {
    options.limits.per_hour =
        checks.Count(path + ".allowance.requests_per_hour", allowance.requests_per_hour());
  }
  return options;
}

Config::Redis RedisOf(ConfigChecks& checks, const std::string& path, const schema::Redis& redis) {
  checks.Check(HostOf(redis.address()).has_value(), path + ".address", "expected HOST:PORT");
  const auto needs_tls = [&](const char* name, const std::string& file) {
    checks.Check(redis.tls() || file.empty(), absl::StrCat(path, ".", name), "needs tls: true");
  };
  needs_tls("ca_file", redis.ca_file());
  needs_tls("cert_file", redis.cert_file());
  needs_tls("key_file", redis.key_file());
  checks.Check(redis.cert_file().empty() == redis.key_file().empty(), path + ".cert_file",
               "expected with key_file, or neither of both");
  return {.connection = {.address = redis.address(),
                         .tls = redis.tls(),
                         .ca_file = redis.ca_file(),
                         .cert_file = redis.cert_file(),
                         .key_file = redis.key_file(),
                         .timeout = kRedisTimeout},
          .password_file = redis.password_file()};
}

RetryOptions RetryOf(ConfigChecks& checks, const schema::Retry& retry) {
  constexpr int kMostAttempts = 10;
  checks.Check(retry.max_attempts() >= 1 && retry.max_attempts() <= kMostAttempts,
               "retry.max_attempts", "expected 1 to 10");
  checks.Check(retry.budget() >= 0 && retry.budget() <= 1, "retry.budget", "expected 0 to 1");
  const RetryOptions options{.max_attempts = retry.max_attempts(),
                             .budget = retry.budget(),
                             .base_delay = checks.Duration("retry.base_delay", retry.base_delay()),
                             .max_delay = checks.Duration("retry.max_delay", retry.max_delay())};
  checks.Check(options.base_delay <= options.max_delay, "retry.base_delay",
               "expected at most retry.max_delay");
  return options;
}

Breaker::Options BreakerOf(ConfigChecks& checks, const schema::Breaker& breaker) {
  checks.Check(breaker.failures() >= 0 && breaker.failures() <= ConfigChecks::kMaxCount,
               "breaker.failures", "expected 0 to 1000000");
  return {.failures = breaker.failures(),
          .window = checks.Duration("breaker.window", breaker.window()),
          .open_for = checks.Duration("breaker.open_for", breaker.open_for())};
}

Config::Cache CacheOf(ConfigChecks& checks, const schema::Cache& cache) {
  const schema::ReferenceCache& reference = cache.reference();
  const auto duration = [&](const char* name, const std::string& text) {
    return checks.Duration(absl::StrCat("cache.", name), text, milliseconds(0));
  };
  Config::Cache options;
  AnswerCache::Lifetime& lifetime = options.reference;
  lifetime = {.fresh = duration("reference.fresh", reference.fresh()),
              .stale = duration("reference.stale", reference.stale()),
              .stale_if_error = duration("reference.stale_if_error", reference.stale_if_error()),
              .is_kept = true};
  // All of them may be left out by a zero.
  checks.Check(lifetime.stale == milliseconds(0) || lifetime.stale >= lifetime.fresh,
               "cache.reference.stale", "expected at least cache.reference.fresh, or 0s");
  checks.Check(
      lifetime.stale_if_error == milliseconds(0) || lifetime.stale_if_error >= lifetime.stale,
      "cache.reference.stale_if_error", "expected at least cache.reference.stale, or 0s");
  options.snapshot_dir = reference.snapshot_dir();
  const milliseconds terminal_for =
      duration("verification.terminal_for", cache.verification().terminal_for());
  options.verification = {.fresh = terminal_for,
                          .stale = terminal_for,
                          .stale_if_error = terminal_for,
                          .is_kept = false};
  options.join_reads = cache.join_reads();
  return options;
}

}  // namespace idv
