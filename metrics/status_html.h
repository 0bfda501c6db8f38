#pragma once

#include <absl/strings/string_view.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace idv {

// The pieces of the status page. All of them are HTML with what comes from the document escaped;
// what is missing in it, or of another type, is an en dash.

std::string TextHtml(const nlohmann::json& value);
// May be broken after `_`, `.`, `/` and `:`.
std::string NameHtml(const nlohmann::json& value);
std::string CountHtml(const nlohmann::json& value);
// The exact number in the title.
std::string BytesHtml(const nlohmann::json& value);
std::string SecondsHtml(const nlohmann::json& value);
// How long ago, or in how long, with the exact time in the title.
std::string AgeHtml(const nlohmann::json& time, const nlohmann::json& now);
std::string ExactTimeHtml(const nlohmann::json& time);

// Marks what is wrong, by a sign and a colour.
std::string Marked(bool is_wrong, absl::string_view html);

// The smaller second line of a cell or a value.
std::string Aside(absl::string_view html);

// A table cell with a number, which is paler when it is zero. `column` is what it is of, where the
// table's head cannot be shown.
std::string CountCell(const nlohmann::json& value, absl::string_view column);

// A line of a list of facts.
std::string Fact(absl::string_view term, absl::string_view html);
std::string FactsSection(absl::string_view heading, absl::string_view facts);

// `head` is the <thead>. The rows after the first `shown` can be unfolded, below `summary`; says
// `otherwise` where there is no row.
std::string TableSection(absl::string_view heading, absl::string_view classes,
                         absl::string_view head, const std::vector<std::string>& rows,
                         absl::string_view otherwise, size_t shown, absl::string_view summary);

}  // namespace idv
