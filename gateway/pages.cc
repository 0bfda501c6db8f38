#include "gateway/pages.h"

#include <curl/curl.h>
#include <grpcpp/grpcpp.h>
#include <prometheus/text_serializer.h>

#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "gateway/gauges.h"
#include "gateway/status_document.h"
#include "metrics/families.h"
#include "metrics/process_series.h"
#include "metrics/status_page.h"

namespace idv {
namespace {

using Page = AdminServer::Page;
using Request = AdminServer::Request;

// Of HTTP.
constexpr int kOk = 200;
constexpr int kBadRequest = 400;
constexpr int kNotFound = 404;
constexpr int kUnavailable = 503;

std::string Lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

Page Livez(const Server& server) {
  const std::vector<std::string> stalls = server.stalls();
  if (stalls.empty()) return {.body = "ok\n"};
  return {.status = kUnavailable, .body = Lines(stalls)};
}

Page Readyz(const Server& server) {
  const Readiness readiness = server.readiness();
  return {.status = readiness.is_ready ? kOk : kUnavailable,
          .body = (readiness.is_ready ? "ok\n" : "") + Lines(readiness.reasons)};
}

// What neither calls nor the server know.
std::vector<prometheus::MetricFamily> FamiliesOf(const Surroundings& around,
                                                 const LiveConfig::Summary& config) {
  using prometheus::MetricType;
  Families families;
  families.Begin(MetricType::Gauge, "idv_gateway_certificate_expiry_timestamp_seconds",
                 "When the first of the certificates in use is valid no longer.");
  for (const auto& [name, expires_at] : around.certificates()) {
    families.Add(ToSeconds(expires_at), {{"certificate", name}});
  }
  families.Gauge("idv_gateway_config_reload_timestamp_seconds",
                 "When the configuration in use was taken.", ToSeconds(config.taken_at));
  families.Counter("idv_gateway_config_reload_failures_total",
                   "Changed configurations that were refused.",
                   static_cast<double>(config.refused));
  families.Counter("idv_gateway_log_lines_dropped_total",
                   "Lines of the log that were dropped, since they were read too slowly.",
                   static_cast<double>(around.dropped_lines()));
  families.Counter("idv_gateway_spans_exported_total", "Spans that the collector took.",
                   static_cast<double>(around.exported_spans()));
  families.Counter("idv_gateway_spans_dropped_total", "Spans that it did not.",
                   static_cast<double>(around.dropped_spans()));
  families.Begin(MetricType::Gauge, "idv_gateway_build_info", "What this program is; always 1.");
  families.Add(1, {{"version", around.version},
                   {"grpc", grpc::Version()},
                   {"curl", curl_version_info(CURLVERSION_NOW)->version},
                   {"tracing", around.can_trace ? "built" : "missing"}});
  AddProcess(families);
  return families.Take();
}

Page Metrics(Server& server, const LiveConfig& live, const Surroundings& around) {
  const LiveConfig::Summary config = live.summary();
  std::vector<prometheus::MetricFamily> families = server.telemetry().registry().Collect();
  const auto add = [&](std::vector<prometheus::MetricFamily> more) {
    families.insert(families.end(), std::make_move_iterator(more.begin()),
                    std::make_move_iterator(more.end()));
  };
  add(GaugesOf(server.standing(), config.labels_tenants));
  add(FamiliesOf(around, config));
  return {.content_type = "text/plain; version=0.0.4; charset=utf-8",
          .body = prometheus::TextSerializer().Serialize(families)};
}

Page Statusz(Server& server, const LiveConfig& live, const Surroundings& around,
             const Request& request) {
  const LiveConfig::Summary config = live.summary();
  if (!config.shows_status) {
    return {.status = kNotFound, .body = "admin.statusz is off in the configuration\n"};
  }
  const std::string format = request.Parameter("format").value_or("html");
  if (format != "html" && format != "json") {
    return {.status = kBadRequest, .body = "format: expected html or json\n"};
  }
  const nlohmann::ordered_json document = StatusDocument(
      around, server.standing(), server.telemetry().series(), server.drift(), config);
  if (format == "json") {
    return {.content_type = "application/json",
            .body = document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"};
  }
  return {.content_type = "text/html; charset=utf-8", .body = StatusPage(document)};
}

}  // namespace

AdminServer::Pages PagesOf(Server& server, const LiveConfig& live, const Surroundings& around) {
  return {{"/livez", [&server](const Request&) { return Livez(server); }},
          {"/readyz", [&server](const Request&) { return Readyz(server); }},
          {"/metrics",
           [&server, &live, &around](const Request&) { return Metrics(server, live, around); }},
          {"/statusz", [&server, &live, &around](const Request& request) {
             return Statusz(server, live, around, request);
           }}};
}

}  // namespace idv
