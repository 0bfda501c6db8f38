#include "metrics/status_page.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <algorithm>
#include <vector>

#include "metrics/human_text.h"
#include "metrics/lenient_json.h"
#include "metrics/status_findings.h"
#include "metrics/status_html.h"
#include "metrics/status_page_style.h"
#include "metrics/status_tenants.h"

namespace idv {
namespace {

using Json = nlohmann::json;
using Htmls = std::vector<std::string>;

constexpr std::size_t kErrorsShown = 12;
constexpr std::size_t kRowsShown = 30;
constexpr std::size_t kReasonsShown = 5;
constexpr std::size_t kLatelyShown = 3;

// "us", "us and the vendor", "us, the vendor and callers".
std::string Enumerated(const Htmls& parts) {
  if (parts.size() < 2) return absl::StrJoin(parts, "");
  return absl::StrCat(absl::StrJoin(parts.begin(), parts.end() - 1, ", "), " and ", parts.back());
}

std::string HeaderHtml(const Json& status) {
  return absl::StrCat("<header><p><b>idv-gateway ", TextHtml(Member(status, {"version"})),
                      "</b>, up ", SecondsHtml(Member(status, {"uptime_seconds"})), ", as of ",
                      ExactTimeHtml(Member(status, {"now"})),
                      "</p>\n<nav aria-label=\"Other pages\"><a href=\"?format=json\">JSON</a> "
                      "<a href=\"metrics\">/metrics</a> <a href=\"readyz\">/readyz</a> "
                      "<a href=\"livez\">/livez</a></nav></header>\n");
}

struct Readiness {
  const char* sign;
  const char* word;
  bool is_wrong;
};

Readiness ReadinessIn(const Json& status) {
  if (Member(status, {"draining"}) == true) return {"✕", "Draining", true};
  const Json& ready = Member(status, {"ready"});
  if (!ready.is_boolean()) return {"–", "Readiness unknown", false};
  return ready == true ? Readiness{"✓", "Ready", false} : Readiness{"✕", "Not ready", true};
}

std::string TroubleText(const Json& status, const StatusFindings& findings) {
  Htmls trouble;
  if (!findings.us.trouble.empty()) trouble.emplace_back("us");
  if (!findings.vendor.trouble.empty()) trouble.emplace_back("the vendor");
  if (!findings.caller.trouble.empty()) trouble.emplace_back("callers");
  if (!trouble.empty()) return absl::StrCat("There is trouble with ", Enumerated(trouble), ".");
  Htmls lately;
  if (!findings.us.lately.empty()) lately.emplace_back("our");
  if (!findings.vendor.lately.empty()) lately.emplace_back("the vendor’s");
  if (!findings.caller.lately.empty()) lately.emplace_back("the callers’");
  if (!lately.empty()) {
    return absl::StrCat("Nothing is broken now. What failed in the last five minutes is ",
                        Enumerated(lately), " doing.");
  }
  const bool is_known =
      Member(status, {"tenants"}).is_array() && Member(status, {"errors"}).is_array();
  return is_known ? "Nothing is broken, and no call has failed in the last five minutes."
                  : "Nothing is known to be broken.";
}

std::string VerdictText(const Json& status, const StatusFindings& findings) {
  const bool is_draining = Member(status, {"draining"}) == true;
  return absl::StrCat(is_draining ? "It shuts down: new calls should go elsewhere. " : "",
                      TroubleText(status, findings));
}

std::string ReasonsHtml(const Json& reasons) {
  std::string shown;
  std::string folded;
  std::size_t count = 0;
  for (const Json& reason : Elements(reasons)) {
    std::string& list = ++count > kReasonsShown ? folded : shown;
    absl::StrAppend(&list, "<li>", TextHtml(reason), "</li>\n");
  }
  if (count == 0) return "";
  std::string html = absl::StrCat("<section><h2>What /readyz says</h2>\n<ul class=\"reasons\">\n",
                                  shown, "</ul>\n");
  if (!folded.empty()) {
    absl::StrAppend(&html, "<details><summary>", count - kReasonsShown,
                    " more</summary><ul class=\"reasons\">\n", folded, "</ul></details>\n");
  }
  return html + "</section>\n";
}

// Whether it is us, the vendor or a caller: one of the three.
std::string BlameHtml(const Json& calls, const char* key, const char* heading,
                      const Findings& findings) {
  const bool is_trouble = !findings.trouble.empty();
  const char* const word = is_trouble                ? "Trouble"
                           : findings.lately.empty() ? "✓ Nothing wrong"
                                                     : "Some calls failed";
  std::string list;
  for (const std::string& sentence : findings.trouble) {
    absl::StrAppend(&list, "<li>", Escaped(sentence), "</li>\n");
  }
  const std::size_t shown = std::min(findings.lately.size(), kLatelyShown);
  for (std::size_t i = 0; i < shown; ++i) {
    absl::StrAppend(&list, "<li>", NameHtml(findings.lately[i]), "</li>\n");
  }
  if (findings.lately.size() > shown) {
    absl::StrAppend(&list, "<li>and ", findings.lately.size() - shown, " more, see below</li>\n");
  }
  if (!list.empty()) list = absl::StrCat("<ul>\n", list, "</ul>\n");
  return absl::StrCat(
      "<section><h2>", heading, "</h2>\n<p class=\"word\">", Marked(is_trouble, word), "</p>\n",
      list, "<p class=\"pale\">", CountHtml(Member(calls, {"failed", key})), " of ",
      CountHtml(Member(calls, {"handled"})), " calls failed since the start</p></section>\n");
}

std::string BlamesHtml(const Json& status, const StatusFindings& findings) {
  const Json& calls = Member(status, {"calls"});
  return absl::StrCat("<div class=\"blame\">\n", BlameHtml(calls, "us", "Us", findings.us),
                      BlameHtml(calls, "vendor", "Vendor", findings.vendor),
                      BlameHtml(calls, "caller", "Callers", findings.caller), "</div>\n");
}

std::string ErrorsHtml(const Json& status) {
  Htmls rows;
  for (const Json& error : Elements(Member(status, {"errors"}))) {
    rows.push_back(
        absl::StrCat("<tr><th scope=\"row\">", NameHtml(Member(error, {"reason"})), "</th><td>",
                     TextHtml(Member(error, {"blame"})), "</td>",
                     CountCell(Member(error, {"count"}), "Count"), "<td class=\"number\">",
                     AgeHtml(Member(error, {"last_at"}), Member(status, {"now"})), "</td></tr>"));
  }
  return TableSection("Errors, the latest first", "names",
                      "<thead><tr><th scope=\"col\">Reason</th><th scope=\"col\">Blame</th>"
                      "<th scope=\"col\" class=\"number\">Count</th>"
                      "<th scope=\"col\" class=\"number\">Last</th></tr></thead>",
                      rows, "None since the start.", kErrorsShown, "Older ones");
}

std::string CallsHtml(const Json& status) {
  const Json& calls = Member(status, {"calls"});
  return FactsSection(
      "Calls", Fact("In flight", absl::StrCat(CountHtml(Member(calls, {"in_flight"})), " of ",
                                              CountHtml(Member(calls, {"in_flight_limit"})))) +
                   Fact("Connections", CountHtml(Member(calls, {"connections"}))) +
                   Fact("Handled", CountHtml(Member(calls, {"handled"}))));
}

std::string StreamsHtml(const Json& status) {
  const Json& streams = Member(status, {"streams"});
  return FactsSection(
      "Frame streams",
      Fact("Active", CountHtml(Member(streams, {"active"}))) +
          Fact("Aborted", CountHtml(Member(streams, {"aborted"}))) +
          Fact("Frames", CountHtml(Member(streams, {"frames"}))) +
          Fact("Bytes", BytesHtml(Member(streams, {"bytes"}))) +
          Fact("Upload memory", absl::StrCat(BytesHtml(Member(streams, {"upload_memory"})), " of ",
                                             BytesHtml(Member(streams, {"upload_memory_limit"})))));
}

std::string LookupsHtml(const Json& status) {
  const Json& lookups = Member(status, {"cache_lookups"});
  return FactsSection("Cache lookups", Fact("Hit", CountHtml(Member(lookups, {"hit"}))) +
                                           Fact("Stale", CountHtml(Member(lookups, {"stale"}))) +
                                           Fact("Miss", CountHtml(Member(lookups, {"miss"}))) +
                                           Fact("Joined", CountHtml(Member(lookups, {"joined"}))));
}

std::string ListenersHtml(const Json& addresses) {
  Htmls listeners;
  for (const Json& address : Elements(addresses)) listeners.push_back(NameHtml(address));
  return listeners.empty() ? TextHtml({}) : absl::StrJoin(listeners, "<br>");
}

std::string ConfigHtml(const Json& status) {
  const Json& config = Member(status, {"config"});
  return FactsSection(
      "Configuration",
      Fact("gRPC", ListenersHtml(Member(config, {"grpc"}))) +
          Fact("Admin", NameHtml(Member(config, {"admin"}))) +
          Fact("Transport", TextHtml(Member(config, {"transport"}))) +
          Fact("Upstream", NameHtml(Member(config, {"upstream"}))) +
          Fact("Tenants", CountHtml(Member(config, {"tenants"}))) +
          Fact("Callers", CountHtml(Member(config, {"callers"}))) +
          Fact("Shards", CountHtml(Member(config, {"shards"}))) +
          Fact("Loaded", AgeHtml(Member(config, {"loaded_at"}), Member(status, {"now"}))) +
          Fact("Failed reloads", CountHtml(Member(config, {"reload_failures"}))));
}

std::string ProcessHtml(const Json& status) {
  return FactsSection(
      "Process",
      Fact("Started", AgeHtml(Member(status, {"started_at"}), Member(status, {"now"}))) +
          Fact("gRPC", TextHtml(Member(status, {"build", "grpc"}))) +
          Fact("curl", TextHtml(Member(status, {"build", "curl"}))) +
          Fact("Tracing", TextHtml(Member(status, {"build", "tracing"}))) +
          Fact("Spans exported", CountHtml(Member(status, {"spans", "exported"}))) +
          Fact("Spans dropped", CountHtml(Member(status, {"spans", "dropped"}))) +
          Fact("Log lines dropped", CountHtml(Member(status, {"log", "lines_dropped"}))));
}

std::string ShardsHtml(const Json& status) {
  Htmls rows;
  for (const Json& shard : Elements(Member(status, {"shards"}))) {
    const Json& stalled = Member(shard, {"stalled"});
    const char* const state = !stalled.is_boolean() ? "–" : stalled == true ? "stalled" : "running";
    rows.push_back(absl::StrCat(
        "<tr><th scope=\"row\">", CountHtml(Member(shard, {"index"})), "</th><td>",
        Marked(stalled == true, state), "</td><td class=\"number\">",
        SecondsHtml(Member(shard, {"lag_seconds"})), "</td><td class=\"number\">",
        AgeHtml(Member(shard, {"heartbeat_at"}), Member(status, {"now"})), "</td></tr>"));
  }
  return TableSection("Shards", "names short",
                      "<thead><tr><th scope=\"col\">Shard</th><th scope=\"col\">State</th>"
                      "<th scope=\"col\" class=\"number\">Lag</th>"
                      "<th scope=\"col\" class=\"number\">Heartbeat</th></tr></thead>",
                      rows, "None.", kRowsShown, "More");
}

std::string CertificatesHtml(const Json& status) {
  const Json& now = Member(status, {"now"});
  Htmls rows;
  for (const Json& certificate : Elements(Member(status, {"certificates"}))) {
    const Json& end = Member(certificate, {"expires_at"});
    rows.push_back(absl::StrCat("<tr><th scope=\"row\">", NameHtml(Member(certificate, {"name"})),
                                "</th><td class=\"number\">",
                                Marked(ExpiresSoon(certificate, now), AgeHtml(end, now)),
                                Aside(ExactTimeHtml(end)), "</td></tr>"));
  }
  return TableSection("Certificates", "names",
                      "<thead><tr><th scope=\"col\">Setting</th>"
                      "<th scope=\"col\" class=\"number\">Expires</th></tr></thead>",
                      rows, "None configured.", kRowsShown, "More");
}

std::string DriftHtml(const Json& status) {
  Htmls rows;
  for (const Json& drift : Elements(Member(status, {"drift"}))) {
    const std::string where = absl::StrCat(NameHtml(Member(drift, {"kind"})), " of ",
                                           NameHtml(Member(drift, {"method"})));
    rows.push_back(absl::StrCat("<tr><th scope=\"row\">", NameHtml(Member(drift, {"name"})),
                                Aside(where), "</th>", CountCell(Member(drift, {"count"}), "Count"),
                                "</tr>"));
  }
  return TableSection("New in the vendor’s answers", "names",
                      "<thead><tr><th scope=\"col\">Name</th>"
                      "<th scope=\"col\" class=\"number\">Count</th></tr></thead>",
                      rows, "Nothing: they are as this gateway knows them.", kRowsShown, "More");
}

}  // namespace

std::string StatusPage(const Json& status) {
  const StatusFindings findings = FindingsIn(status);
  const Readiness readiness = ReadinessIn(status);
  const std::string sign =
      absl::StrCat("<span aria-hidden=\"true\">", readiness.sign, "</span> ", readiness.word);
  return absl::StrCat(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
      readiness.word, ": idv-gateway</title>\n<style>", kStatusPageStyle,
      "</style>\n</head>\n<body>\n", HeaderHtml(status), "<main>\n<h1",
      readiness.is_wrong ? " class=\"wrong\">" : ">", sign, "</h1>\n<p class=\"verdict\">",
      VerdictText(status, findings), "</p>\n", BlamesHtml(status, findings),
      ReasonsHtml(Member(status, {"reasons"})), "<div class=\"pair\">\n", ErrorsHtml(status),
      "<div>", CallsHtml(status), LookupsHtml(status), "</div></div>\n", TenantsHtml(status),
      "<div class=\"facts\">\n", ConfigHtml(status), ProcessHtml(status), CertificatesHtml(status),
      StreamsHtml(status), ShardsHtml(status), DriftHtml(status),
      "</div>\n</main>\n</body>\n</html>\n");
}

}  // namespace idv
