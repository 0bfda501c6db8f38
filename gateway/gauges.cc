#include "gateway/gauges.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "metrics/families.h"
#include "metrics/status_class.h"

namespace idv {
namespace {

using prometheus::MetricType;
using OfTenant = Standing::OfTenant;

// How the values of all tenants make one.
using Join = double (*)(double, double);

double Sum(double one, double other) { return one + other; }
double Least(double one, double other) { return std::min(one, other); }
double Most(double one, double other) { return std::max(one, other); }

// Nothing: there is no such series.
using Value = std::function<std::optional<double>(const OfTenant&)>;

std::optional<double> SinceEpoch(std::chrono::system_clock::time_point time) {
  if (time == std::chrono::system_clock::time_point()) return std::nullopt;
  return ToSeconds(time);
}

std::optional<double> SinceEpoch(const std::optional<AnswerCache::WallTime>& time) {
  if (!time) return std::nullopt;
  return ToSeconds(*time);
}

template <typename Number>
std::optional<double> Maybe(const std::optional<Number>& number) {
  if (!number) return std::nullopt;
  return static_cast<double>(*number);
}

// Writes the series of tenants.
class TenantGauges {
 public:
  TenantGauges(Families& families, const std::vector<OfTenant>& tenants, bool by_tenant)
      : families_(families), tenants_(tenants), by_tenant_(by_tenant) {}

  void Begin(MetricType type, const char* name, const char* help) {
    families_.Begin(type, name, help);
  }

  // One for each tenant, or one for all, with further labels.
  void Add(Join join, const Value& value, const Families::Labels& more = {}) {
    std::optional<double> joined;
    for (const OfTenant& tenant : tenants_) {
      const std::optional<double> own = value(tenant);
      if (!own) continue;
      if (by_tenant_) families_.Add(*own, With(tenant.name, more));
      joined = joined ? join(*joined, *own) : *own;
    }
    if (!by_tenant_ && joined) families_.Add(*joined, With("", more));
  }

  void Family(MetricType type, const char* name, const char* help, Join join, const Value& value) {
    Begin(type, name, help);
    Add(join, value);
  }

  void Waits() {
    families_.Begin(MetricType::Summary, "idv_gateway_budget_wait_seconds",
                    "Waits of calls for the tenant's allowance that have ended.");
    uint64_t count = 0;
    double seconds = 0;
    for (const OfTenant& tenant : tenants_) {
      const double own = std::chrono::duration<double>(tenant.tally->waited()).count();
      if (by_tenant_) families_.AddSummary(tenant.tally->waits(), own, With(tenant.name, {}));
      count += tenant.tally->waits();
      seconds += own;
    }
    if (!by_tenant_) families_.AddSummary(count, seconds, With("", {}));
  }

 private:
  static Families::Labels With(const std::string& tenant, const Families::Labels& more) {
    Families::Labels labels = {{"tenant", tenant}};
    labels.insert(labels.end(), more.begin(), more.end());
    return labels;
  }

  Families& families_;
  const std::vector<OfTenant>& tenants_;
  const bool by_tenant_;
};

void AddBudgets(TenantGauges& gauges) {
  gauges.Begin(MetricType::Counter, "idv_gateway_tenant_requests_total",
               "HTTP requests to the upstream by tenant and by the answer's status; none: no "
               "answer.");
  for (size_t i = 0; i < kStatusClasses.size(); ++i) {
    const auto requests = [i](const OfTenant& tenant) {
      return static_cast<double>(tenant.tally->requests(i));
    };
    gauges.Add(Sum, requests, {{"status_class", std::string(kStatusClasses[i])}});
  }
  gauges.Family(MetricType::Gauge, "idv_gateway_budget_limit",
                "Requests a minute that the upstream allows the tenant, as far as is known.", Sum,
                [](const OfTenant& tenant) { return Maybe(tenant.budget.limit); });
  gauges.Family(MetricType::Gauge, "idv_gateway_budget_remaining",
                "What is left of them in this minute.", Sum,
                [](const OfTenant& tenant) { return Maybe(tenant.budget.left); });
  gauges.Family(MetricType::Gauge, "idv_gateway_budget_queue_length",
                "Calls that wait for the tenant's allowance.", Sum,
                [](const OfTenant& tenant) { return static_cast<double>(tenant.budget.waiting); });
  gauges.Waits();
  gauges.Begin(MetricType::Gauge, "idv_gateway_breaker_state",
               "The circuit of the tenant's requests: 0 closed, 1 half open, 2 open.");
  for (const auto kind : {Account::Kind::kRead, Account::Kind::kWrite, Account::Kind::kUpload}) {
    const auto state = [kind](const OfTenant& tenant) -> double {
      switch (tenant.breakers.at(static_cast<size_t>(kind))) {
        case Breaker::State::kClosed:
          return 0;
        case Breaker::State::kHalfOpen:
          return 1;
        case Breaker::State::kOpen:
          return 2;
      }
      return 0;
    };
    gauges.Add(Most, state, {{"operation_class", std::string(NameOf(kind))}});
  }
}

void AddCaches(TenantGauges& gauges) {
  gauges.Begin(MetricType::Gauge, "idv_gateway_cache_entries",
               "Answers that are kept to be given again.");
  gauges.Add(Sum,
             [](const OfTenant& tenant) { return static_cast<double>(tenant.reference.entries); },
             {{"cache", "reference"}});
  gauges.Add(
      Sum, [](const OfTenant& tenant) { return static_cast<double>(tenant.verifications.entries); },
      {{"cache", "verification"}});
  gauges.Family(
      MetricType::Gauge, "idv_gateway_cache_stale_entries",
      "Reference data that is past fresh and still given.", Sum,
      [](const OfTenant& tenant) { return static_cast<double>(tenant.reference.stale_entries); });
  gauges.Family(
      MetricType::Gauge, "idv_gateway_cache_oldest_fetch_timestamp_seconds",
      "When the oldest reference data that is kept was fetched.", Least,
      [](const OfTenant& tenant) { return SinceEpoch(tenant.reference.oldest_fetched_at); });
}

void AddSecrets(TenantGauges& gauges) {
  gauges.Family(MetricType::Gauge, "idv_gateway_secret_read_timestamp_seconds",
                "When the tenant's API key was last read from where it comes from.", Least,
                [](const OfTenant& tenant) { return SinceEpoch(tenant.tally->key_read_at()); });
  gauges.Family(MetricType::Gauge, "idv_gateway_secret_changed_timestamp_seconds",
                "When it last became another one.", Least,
                [](const OfTenant& tenant) { return SinceEpoch(tenant.tally->key_changed_at()); });
  gauges.Family(
      MetricType::Counter, "idv_gateway_secret_changes_total", "How often it did.", Sum,
      [](const OfTenant& tenant) { return static_cast<double>(tenant.tally->key_changes()); });
  gauges.Family(MetricType::Counter, "idv_gateway_secret_refresh_failures_total",
                "How often it could not be read.", Sum,
                [](const OfTenant& tenant) { return static_cast<double>(tenant.key_failures); });
  gauges.Family(MetricType::Gauge, "idv_gateway_secret_usable",
                "1: there is a key, and the upstream takes it as far as is known.", Least,
                [](const OfTenant& tenant) -> double {
                  return tenant.has_key && !tenant.is_refused ? 1 : 0;
                });
  gauges.Family(MetricType::Gauge, "idv_gateway_secret_rejected",
                "1: the upstream refuses all keys of the tenant.", Most,
                [](const OfTenant& tenant) -> double { return tenant.is_refused ? 1 : 0; });
}

void AddShards(const Standing& standing, Families& families) {
  families.Begin(MetricType::Gauge, "idv_gateway_shard_lag_seconds",
                 "How long the shard took to answer when it was last asked, once a second.");
  for (size_t i = 0; i < standing.shards.size(); ++i) {
    families.Add(std::chrono::duration<double>(standing.shards[i].lag).count(),
                 {{"shard", std::to_string(i)}});
  }
  families.Begin(MetricType::Gauge, "idv_gateway_shard_heartbeat_timestamp_seconds",
                 "When the shard last answered.");
  for (size_t i = 0; i < standing.shards.size(); ++i) {
    families.Add(ToSeconds(standing.shards[i].answered_at), {{"shard", std::to_string(i)}});
  }
}

}  // namespace

std::vector<prometheus::MetricFamily> GaugesOf(const Standing& standing, bool by_tenant) {
  Families families;
  const auto gauge = [&](const char* name, const char* help, auto value) {
    families.Gauge(name, help, static_cast<double>(value));
  };
  gauge("idv_gateway_ready", "1: the gateway should be sent calls, as /readyz says.",
        standing.readiness.is_ready);
  gauge("idv_gateway_draining", "1: it shuts down.", standing.is_draining);
  gauge("idv_gateway_calls_in_flight", "RPCs that run.", standing.usage.in_flight);
  gauge("idv_gateway_calls_in_flight_limit", "How many may.", standing.usage.in_flight_cap);
  gauge("idv_gateway_connections", "Open connections of callers.", standing.connections);
  gauge("idv_gateway_frame_streams", "Frame streams that run.", standing.frame_streams);
  gauge("idv_gateway_upload_memory_bytes", "What uploads and frame streams hold.",
        standing.usage.upload_bytes);
  gauge("idv_gateway_upload_memory_limit_bytes", "How much they may.",
        standing.usage.upload_bytes_cap);
  gauge("idv_gateway_redis_unreachable",
        "1: gateways are to count together, and their Redis is out of reach.",
        standing.is_redis_unreachable);
  TenantGauges tenants(families, standing.tenants, by_tenant);
  AddBudgets(tenants);
  AddCaches(tenants);
  AddSecrets(tenants);
  AddShards(standing, families);
  return families.Take();
}

}  // namespace idv
