#include "metrics/status_tenants.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "metrics/human_text.h"
#include "metrics/lenient_json.h"
#include "metrics/status_findings.h"
#include "metrics/status_html.h"

namespace idv {
namespace {

using Json = nlohmann::json;
using Htmls = std::vector<std::string>;

constexpr std::size_t kTenantsShown = 20;

bool IsSome(const Json& count) { return NumberOf(count).value_or(0) > 0; }

std::string KeyHtml(const Json& tenant, const Json& now) {
  const Json& key = Member(tenant, {"key"});
  std::string html = Marked(HasUnusableKey(tenant), TextHtml(Member(key, {"state"})));
  if (Member(key, {"changed_at"}).is_string()) {
    html += Aside(absl::StrCat("changed ", AgeHtml(Member(key, {"changed_at"}), now)));
  }
  if (Member(key, {"read_at"}).is_string()) {
    html += Aside(absl::StrCat("read ", AgeHtml(Member(key, {"read_at"}), now)));
  }
  const Json& failures = Member(key, {"refresh_failures"});
  if (IsSome(failures)) html += Aside(absl::StrCat(CountHtml(failures), " reads failed"));
  return html;
}

std::string BarHtml(const Json& part, const Json& whole) {
  const double limit = NumberOf(whole).value_or(0);
  if (limit <= 0) return "";
  const double share = std::clamp(NumberOf(part).value_or(0) / limit, 0.0, 1.0);
  return absl::StrCat("<span class=\"bar\"><i style=\"width:", static_cast<int>(share * 100),
                      "%\"></i></span>");
}

std::string BudgetHtml(const Json& tenant) {
  const Json& budget = Member(tenant, {"budget"});
  const Json& limit = Member(budget, {"limit"});
  const Json& remaining = Member(budget, {"remaining"});
  const Json& waiting = Member(budget, {"waiting"});
  const bool is_unlimited = Member(budget, {"unlimited"}) == true;
  const std::string left = is_unlimited ? "unlimited"
                           : !NumberOf(limit)
                               ? CountHtml(remaining)
                               : absl::StrCat(CountHtml(remaining), " of ", CountHtml(limit));
  return absl::StrCat(Marked(IsShortOfBudget(tenant), left), BarHtml(remaining, limit),
                      IsSome(waiting) ? Aside(absl::StrCat(CountHtml(waiting), " wait")) : "");
}

std::string BreakersHtml(const Json& tenant) {
  Htmls not_closed;
  for (const std::string& text : BreakersNotClosed(tenant)) not_closed.push_back(Escaped(text));
  if (!not_closed.empty()) return Marked(true, absl::StrJoin(not_closed, ",<br>"));
  // They are closed, or not known.
  for (const char* const name : {"read", "write", "upload"}) {
    const Json& state = Member(tenant, {"breakers", name});
    if (state.is_string()) return TextHtml(state);
  }
  return TextHtml({});
}

std::string KeptHtml(const Json& cache, const char* key, const Json& now) {
  const Json& kept = Member(cache, {key});
  if (kept.is_null()) return "";
  std::string html = absl::StrCat(key, " ", CountHtml(Member(kept, {"entries"})));
  const Json& stale = Member(kept, {"stale"});
  if (IsSome(stale)) absl::StrAppend(&html, ", ", CountHtml(stale), " stale");
  const Json& oldest = Member(kept, {"oldest_fetched_at"});
  if (oldest.is_string()) absl::StrAppend(&html, ", oldest ", AgeHtml(oldest, now));
  return Aside(html);
}

std::string CacheHtml(const Json& tenant, const Json& now) {
  const Json& cache = Member(tenant, {"cache"});
  const std::string html =
      absl::StrCat(KeptHtml(cache, "reference", now), KeptHtml(cache, "verification", now));
  return html.empty() ? TextHtml(cache) : html;
}

std::string TenantRow(const Json& tenant, const Json& now) {
  std::string row =
      absl::StrCat("<tr><th scope=\"row\">", NameHtml(Member(tenant, {"name"})),
                   "</th><td class=\"wide\" data-of=\"Key\">", KeyHtml(tenant, now),
                   "</td><td class=\"wide\" data-of=\"Budget left\">", BudgetHtml(tenant),
                   "</td><td class=\"wide\" data-of=\"Breakers\">", BreakersHtml(tenant), "</td>");
  for (const char* const kind : {"2xx", "4xx", "429", "5xx", "none"}) {
    absl::StrAppend(&row, CountCell(Member(tenant, {"requests", kind}), kind));
  }
  return absl::StrCat(row, "<td class=\"wide\" data-of=\"Cache\">", CacheHtml(tenant, now),
                      "</td></tr>");
}

std::string Folded(std::size_t count, std::size_t troubled, std::size_t shown) {
  const std::string more = CountText(static_cast<double>(count - shown));
  if (shown == 0) return absl::StrCat("All ", more, ", nothing wrong");
  if (troubled <= shown) return absl::StrCat(more, " more, nothing wrong");
  return absl::StrCat(more, " more, ", troubled - shown, " of them in trouble");
}

}  // namespace

std::string TenantsHtml(const Json& status) {
  Htmls rows;
  Htmls well;
  for (const Json& tenant : Elements(Member(status, {"tenants"}))) {
    (IsTroubled(tenant) ? rows : well).push_back(TenantRow(tenant, Member(status, {"now"})));
  }
  const std::size_t troubled = rows.size();
  std::move(well.begin(), well.end(), std::back_inserter(rows));
  const std::size_t count = rows.size();
  const std::size_t shown = count <= kTenantsShown ? count : std::min(troubled, kTenantsShown);
  return TableSection(
      troubled == 0 ? "Tenants" : absl::StrCat("Tenants, ", troubled, " in trouble"), "tenants",
      "<thead><tr><th scope=\"col\" rowspan=\"2\">Name</th><th scope=\"col\" rowspan=\"2\">Key</th>"
      "<th scope=\"col\" rowspan=\"2\">Budget left</th><th scope=\"col\" "
      "rowspan=\"2\">Breakers</th>"
      "<th scope=\"colgroup\" colspan=\"5\" class=\"span\">Requests to the vendor</th>"
      "<th scope=\"col\" rowspan=\"2\">Cache</th></tr>\n"
      "<tr><th scope=\"col\" class=\"number\">2xx</th><th scope=\"col\" class=\"number\">4xx</th>"
      "<th scope=\"col\" class=\"number\">429</th><th scope=\"col\" class=\"number\">5xx</th>"
      "<th scope=\"col\" class=\"number\">none</th></tr></thead>",
      rows, "None.", shown, Folded(count, troubled, shown));
}

}  // namespace idv
