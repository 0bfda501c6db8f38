#include "gateway/verify/person_report.h"

#include <absl/strings/str_format.h>
#include <absl/strings/str_join.h>

#include "gateway/verify/text.h"

namespace idv::verify {
namespace {

using std::chrono::milliseconds;

constexpr auto kGreen = "\x1b[1;32m";
constexpr auto kYellow = "\x1b[1;33m";
constexpr auto kRed = "\x1b[1;31m";
constexpr auto kPlain = "\x1b[0m";

std::string Summary(const Decision& decision) {
  std::vector<std::string> parts;
  if (!decision.decision.empty()) parts.push_back("decision " + decision.decision);
  if (decision.overall_score) parts.push_back("overall " + Score(*decision.overall_score));
  if (!decision.codes.empty()) parts.push_back("codes " + absl::StrJoin(decision.codes, " "));
  return parts.empty() ? "" : "  (" + OneLine(absl::StrJoin(parts, ", ")) + ")";
}

}  // namespace

void PersonReport::Done(const Step& step) { Row(step.name, step.took, OneLine(step.text)); }

void PersonReport::Progressed(const Progress& progress) {
  if (bar_) bar_->Draw(progress);
}

void PersonReport::Failed(const std::string& step, milliseconds took, milliseconds total,
                          const Failure& failure) {
  Row(step, took, Paint(kRed, failure.code));
  err_ << absl::StrFormat("\nNo decision: %s failed, %d ms after the start.\n", step,
                          total.count());
  Detail("status", failure.code);
  Detail("message", failure.message);
  Detail("reason", failure.reason);
  Detail("domain", failure.domain);
  for (const auto& [name, value] : failure.metadata) Detail(name, value);
  for (const auto& violation : failure.violations) {
    Detail("field", violation.field + ": " + violation.description);
  }
  if (failure.retry_after) {
    Detail("retry after", absl::StrFormat("%d ms", failure.retry_after->count()));
  }
  Detail("request id", failure.request_id);
  if (failure.frames_sent) Detail("frames sent", std::to_string(*failure.frames_sent));
  err_ << std::flush;
}

void PersonReport::Decided(const Decision& decision) {
  const auto colour = decision.verified                    ? kGreen
                      : decision.status == "MANUAL_REVIEW" ? kYellow
                                                           : kRed;
  out_ << Paint(colour, decision.status) << absl::StrFormat("  in %d ms", decision.took.count())
       << Summary(decision) << std::endl;
}

void PersonReport::Row(const std::string& name, milliseconds took, const std::string& text) {
  if (bar_) bar_->Erase();
  out_ << absl::StrFormat("%-15s %5d ms  ", name, took.count()) << text << std::endl;
}

void PersonReport::Detail(const std::string& name, const std::string& text) {
  if (!text.empty()) err_ << absl::StrFormat("  %-14s %s\n", OneLine(name), OneLine(text));
}

std::string PersonReport::Paint(const char* colour, const std::string& text) const {
  return colours_ ? colour + text + kPlain : text;
}

}  // namespace idv::verify
