#include "metrics/status_html.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <algorithm>

#include "metrics/human_text.h"
#include "metrics/lenient_json.h"

namespace idv {
namespace {

constexpr char kUnknown[] = "–";

std::string List(const std::vector<std::string>& rows, size_t begin, size_t end,
                 absl::string_view classes, absl::string_view head) {
  const auto from = rows.begin();
  return absl::StrCat("<table class=\"", classes, "\">", head, "<tbody>\n",
                      absl::StrJoin(from + static_cast<std::ptrdiff_t>(begin),
                                    from + static_cast<std::ptrdiff_t>(end), "\n"),
                      "</tbody></table>\n");
}

}  // namespace

std::string TextHtml(const nlohmann::json& value) {
  if (value.is_number()) return CountHtml(value);
  const std::string text = TextOf(value);
  return text.empty() ? kUnknown : Escaped(text);
}

std::string NameHtml(const nlohmann::json& value) {
  const std::string text = TextHtml(value);
  std::string html;
  for (const char c : text) {
    html += c;
    if (absl::StrContains("_./:", absl::string_view(&c, 1))) html += "<wbr>";
  }
  return html;
}

std::string CountHtml(const nlohmann::json& value) {
  const auto count = NumberOf(value);
  return count ? CountText(*count) : kUnknown;
}

std::string BytesHtml(const nlohmann::json& value) {
  const auto bytes = NumberOf(value);
  if (!bytes) return kUnknown;
  return absl::StrCat("<span title=\"", CountText(*bytes), " bytes\">", BytesText(*bytes),
                      "</span>");
}

std::string SecondsHtml(const nlohmann::json& value) {
  const auto seconds = NumberOf(value);
  return seconds ? DurationText(absl::Seconds(*seconds)) : kUnknown;
}

std::string AgeHtml(const nlohmann::json& time, const nlohmann::json& now) {
  const auto moment = TimeOf(time);
  const auto present = TimeOf(now);
  if (!moment || !present) return ExactTimeHtml(time);
  const std::string exact = ExactText(*moment);
  return absl::StrCat("<time datetime=\"", absl::FormatTime(*moment, absl::UTCTimeZone()),
                      "\" title=\"", exact, "\">", AgeText(*moment, *present), "</time>");
}

std::string ExactTimeHtml(const nlohmann::json& time) {
  const auto moment = TimeOf(time);
  return moment ? ExactText(*moment) : TextHtml(time);
}

std::string Marked(bool is_wrong, absl::string_view html) {
  if (!is_wrong) return std::string(html);
  return absl::StrCat("<b class=\"wrong\"><span aria-hidden=\"true\">✕\u00a0</span>", html, "</b>");
}

std::string Aside(absl::string_view html) { return absl::StrCat("<small>", html, "</small>"); }

std::string CountCell(const nlohmann::json& value, absl::string_view column) {
  const bool is_something = NumberOf(value).value_or(0) != 0;
  return absl::StrCat("<td class=\"number", is_something ? "" : " pale", "\" data-of=\"", column,
                      "\">", CountHtml(value), "</td>");
}

std::string Fact(absl::string_view term, absl::string_view html) {
  return absl::StrCat("<div><dt>", term, "</dt><dd>", html, "</dd></div>\n");
}

std::string FactsSection(absl::string_view heading, absl::string_view facts) {
  return absl::StrCat("<section><h2>", heading, "</h2>\n<dl>\n", facts, "</dl></section>\n");
}

std::string TableSection(absl::string_view heading, absl::string_view classes,
                         absl::string_view head, const std::vector<std::string>& rows,
                         absl::string_view otherwise, size_t shown, absl::string_view summary) {
  std::string html = absl::StrCat("<section><h2>", heading, "</h2>\n");
  shown = std::min(shown, rows.size());
  if (rows.empty()) absl::StrAppend(&html, "<p class=\"pale\">", otherwise, "</p>\n");
  if (shown > 0) absl::StrAppend(&html, List(rows, 0, shown, classes, head));
  if (shown < rows.size()) {
    absl::StrAppend(&html, "<details><summary>", summary, "</summary>\n",
                    List(rows, shown, rows.size(), classes, head), "</details>\n");
  }
  return html + "</section>\n";
}

}  // namespace idv
