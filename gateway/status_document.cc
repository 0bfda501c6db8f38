#include "gateway/status_document.h"

#include <absl/time/time.h>
#include <curl/curl.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <string>

#include "metrics/status_class.h"

namespace idv {
namespace {

using Json = nlohmann::ordered_json;
using WallTime = std::chrono::system_clock::time_point;

std::string Text(WallTime time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::FromChrono(time), absl::UTCTimeZone());
}

const char* NameOf(Breaker::State state) {
  switch (state) {
    case Breaker::State::kClosed:
      return "closed";
    case Breaker::State::kHalfOpen:
      return "half open";
    case Breaker::State::kOpen:
      return "open";
  }
  return "";
}

Json KeyOf(const Standing::OfTenant& tenant) {
  Json key = {{"state", !tenant.has_key ? "missing" : tenant.is_refused ? "rejected" : "usable"}};
  if (tenant.tally->key_read_at() != WallTime()) {
    key["read_at"] = Text(tenant.tally->key_read_at());
    key["changed_at"] = Text(tenant.tally->key_changed_at());
  }
  key["refresh_failures"] = tenant.key_failures;
  return key;
}

Json BudgetOf(const Standing::OfTenant& tenant) {
  Json budget = Json::object();
  if (tenant.budget.limit) budget["limit"] = *tenant.budget.limit;
  if (tenant.budget.left) budget["remaining"] = *tenant.budget.left;
  budget["waiting"] = tenant.budget.waiting;
  budget["unlimited"] = tenant.is_unlimited;
  return budget;
}

Json TenantOf(const Standing::OfTenant& tenant) {
  Json breakers = Json::object();
  for (const auto kind : {Account::Kind::kRead, Account::Kind::kWrite, Account::Kind::kUpload}) {
    breakers[std::string(idv::NameOf(kind))] =
        NameOf(tenant.breakers.at(static_cast<size_t>(kind)));
  }
  Json reference = {{"entries", tenant.reference.entries},
                    {"stale", tenant.reference.stale_entries}};
  if (const auto oldest = tenant.reference.oldest_fetched_at) {
    reference["oldest_fetched_at"] = Text(*oldest);
  }
  Json requests = Json::object();
  for (size_t i = 0; i < kStatusClasses.size(); ++i) {
    const uint64_t count = tenant.tally->requests(i);
    if (count > 0) requests[std::string(kStatusClasses[i])] = count;
  }
  return {{"name", tenant.name},
          {"key", KeyOf(tenant)},
          {"budget", BudgetOf(tenant)},
          {"breakers", std::move(breakers)},
          {"cache",
           {{"reference", std::move(reference)},
            {"verification", {{"entries", tenant.verifications.entries}}}}},
          {"requests", std::move(requests)}};
}

Json CallsOf(const Standing& standing, const CallSeries& series) {
  Json failed = {{"caller", 0}, {"us", 0}, {"vendor", 0}};
  for (const CallSeries::Failures& failures : series.failures()) {
    Json& count = failed[std::string(failures.reason.blame)];
    count = count.get<uint64_t>() + failures.count;
  }
  return {{"in_flight", standing.usage.in_flight},
          {"in_flight_limit", standing.usage.in_flight_cap},
          {"connections", standing.connections},
          {"handled", series.handled()},
          {"failed", std::move(failed)}};
}

Json StreamsOf(const Standing& standing, const CallSeries& series) {
  return {{"active", standing.frame_streams},
          {"frames", series.frames()},
          {"bytes", series.frame_bytes()},
          {"aborted", series.aborted_streams()},
          {"upload_memory", standing.usage.upload_bytes},
          {"upload_memory_limit", standing.usage.upload_bytes_cap}};
}

Json ErrorsOf(const CallSeries& series) {
  Json errors = Json::array();
  for (const CallSeries::Failures& failures : series.failures()) {
    errors.push_back({{"reason", std::string(failures.reason.name)},
                      {"blame", std::string(failures.reason.blame)},
                      {"count", failures.count},
                      {"last_at", Text(failures.last_at)}});
  }
  return errors;
}

Json ShardsOf(const Standing& standing) {
  Json shards = Json::array();
  for (const Pulse::Beat& beat : standing.shards) {
    shards.push_back({{"index", shards.size()},
                      {"lag_seconds", std::chrono::duration<double>(beat.lag).count()},
                      {"heartbeat_at", Text(beat.answered_at)},
                      {"stalled", beat.is_stalled()}});
  }
  return shards;
}

Json DriftOf(const DriftCounter& counter) {
  Json drift = Json::array();
  for (const auto& [key, count] : counter.Snapshot()) {
    drift.push_back(
        {{"method", key.method.substr(key.method.rfind('.') + 1)},
         {"kind", key.kind == Drift::Kind::kUnknownKey ? "unknown_key" : "unknown_value"},
         {"name", key.name},
         {"count", count}});
  }
  return drift;
}

}  // namespace

Json StatusDocument(const Surroundings& around, const Standing& standing, const CallSeries& series,
                    const DriftCounter& drift, const LiveConfig::Summary& config) {
  const WallTime now = std::chrono::system_clock::now();
  Json lookups = Json::object();
  for (const absl::string_view result : CallSeries::kCacheResults) {
    lookups[std::string(result)] = series.lookups(result);
  }
  Json tenants = Json::array();
  for (const Standing::OfTenant& tenant : standing.tenants) tenants.push_back(TenantOf(tenant));
  Json certificates = Json::array();
  for (const auto& [name, expires_at] : around.certificates()) {
    certificates.push_back({{"name", name}, {"expires_at", Text(expires_at)}});
  }
  return {{"version", around.version},
          {"build",
           {{"grpc", grpc::Version()},
            {"curl", curl_version_info(CURLVERSION_NOW)->version},
            {"tracing", around.can_trace ? "built" : "missing"}}},
          {"now", Text(now)},
          {"started_at", Text(around.started_at)},
          {"uptime_seconds",
           std::chrono::duration_cast<std::chrono::seconds>(now - around.started_at).count()},
          {"ready", standing.readiness.is_ready},
          {"draining", standing.is_draining},
          {"reasons", standing.readiness.reasons},
          {"config",
           {{"grpc", around.grpc_addresses},
            {"admin", around.admin_address},
            {"transport", around.transport},
            {"upstream", around.upstream},
            {"shards", around.shards},
            {"tenants", config.tenants},
            {"callers", config.callers},
            {"loaded_at", Text(config.taken_at)},
            {"reload_failures", config.refused}}},
          {"calls", CallsOf(standing, series)},
          {"tenants", std::move(tenants)},
          {"cache_lookups", std::move(lookups)},
          {"streams", StreamsOf(standing, series)},
          {"errors", ErrorsOf(series)},
          {"certificates", std::move(certificates)},
          {"shards", ShardsOf(standing)},
          {"drift", DriftOf(drift)},
          {"log", {{"lines_dropped", around.dropped_lines()}}},
          {"spans", {{"exported", around.exported_spans()}, {"dropped", around.dropped_spans()}}}};
}

}  // namespace idv
