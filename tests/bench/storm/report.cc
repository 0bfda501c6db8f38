#include "tests/bench/storm/report.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>

#include "tests/bench/spread.h"

namespace idv::bench::storm {
namespace {

double AnswersPerRequest(const Seen& seen) {
  const size_t answers = seen.polls.answered() + seen.writes.answered();
  return static_cast<double>(answers) /
         static_cast<double>(std::max<uint64_t>(seen.upstream.total, 1));
}

struct Column {
  const char* name;
  int decimals;
  std::function<double(const Seen&)> figure;
};

std::vector<Column> TrafficColumns() {
  return {{"polls", 0, [](const Seen& seen) { return seen.polls.answered(); }},
          {"writes", 0, [](const Seen& seen) { return seen.writes.answered(); }},
          {"requests", 0, [](const Seen& seen) { return seen.upstream.total; }},
          {"429s", 0, [](const Seen& seen) { return seen.upstream.refused(); }},
          {"unseen", 0, [](const Seen& seen) { return seen.upstream.unseen(); }},
          {"429s/min", 1,
           [](const Seen& seen) {
             return static_cast<double>(seen.upstream.refused()) * 60 / seen.seconds;
           }},
          {"answers/request", 4, AnswersPerRequest}};
}

std::vector<Column> WaitColumns() {
  return {{"poll p50", 2, [](const Seen& seen) { return seen.polls.WaitSeconds(0.5); }},
          {"p99", 2, [](const Seen& seen) { return seen.polls.WaitSeconds(0.99); }},
          {"unanswered", 0, [](const Seen& seen) { return seen.polls.unanswered(); }},
          {"write p50", 2, [](const Seen& seen) { return seen.writes.WaitSeconds(0.5); }},
          {"p99", 2, [](const Seen& seen) { return seen.writes.WaitSeconds(0.99); }},
          {"unanswered", 0, [](const Seen& seen) { return seen.writes.unanswered(); }}};
}

std::vector<Column> WriteColumns() {
  return {{"through", 0, [](const Seen& seen) { return seen.onboardings_through; }},
          {"writes repeated", 0, [](const Seen& seen) { return seen.writes.repeated(); }},
          {"load's CPU, %", 1, [](const Seen& seen) { return seen.load_share * 100; }}};
}

Spread Over(const Shown& shown, const std::function<double(const Seen&)>& figure) {
  std::vector<double> values;
  for (const Seen& seen : shown.runs) values.push_back(figure(seen));
  return SpreadOf(std::move(values));
}

void PrintTable(const std::string& title, const std::vector<Column>& columns,
                const std::vector<Shown>& all) {
  absl::PrintF("%-42s", title);
  for (const Column& column : columns) absl::PrintF("%16s", column.name);
  absl::PrintF("\n");
  for (const Shown& shown : all) {
    absl::PrintF("  %-40s", shown.contender);
    for (const Column& column : columns) {
      absl::PrintF("%16.*f", column.decimals, Over(shown, column.figure).median);
    }
    absl::PrintF("\n");
  }
  absl::PrintF("\n");
}

// Of all runs together.
void PrintFailuresOf(const std::string& title, const Shown& shown, Tally Seen::* calls) {
  std::map<std::string, size_t> failures;
  for (const Seen& seen : shown.runs) {
    for (const auto& [name, count] : (seen.*calls).failures()) failures[name] += count;
  }
  if (failures.empty()) absl::PrintF("  %-40s%17s\n", title, "none");
  for (const auto& [name, count] : failures) {
    absl::PrintF("  %-40s%16d  %s\n", title, count, name);
  }
}

void PrintFailures(const std::vector<Shown>& all) {
  absl::PrintF("Failed calls, by code and ErrorInfo's reason, all runs\n");
  for (const Shown& shown : all) {
    PrintFailuresOf(shown.contender + ", polls", shown, &Seen::polls);
    PrintFailuresOf(shown.contender + ", writes", shown, &Seen::writes);
  }
  absl::PrintF("\n");
}

void PrintRatios(const std::vector<Shown>& all) {
  const auto gateway = std::find_if(all.begin(), all.end(),
                                    [](const Shown& shown) { return shown.contender == kGateway; });
  if (gateway == all.end() || all.size() < 2) return;
  absl::PrintF("Useful answers per upstream request, gateway / other (lowest..highest)\n");
  for (const Shown& other : all) {
    if (&other == &*gateway) continue;
    std::vector<double> ratios;
    for (size_t run = 0; run < other.runs.size(); ++run) {
      const double others = AnswersPerRequest(other.runs[run]);
      if (others > 0) ratios.push_back(AnswersPerRequest(gateway->runs[run]) / others);
    }
    absl::PrintF("  %-40s%s\n", other.contender,
                 ratios.empty() ? "it gave none" : Text(SpreadOf(std::move(ratios))));
  }
  absl::PrintF("\n");
}

}  // namespace

void PrintReport(const Size& size, const std::string& plan, const std::vector<Shown>& shown) {
  std::vector<Shown> present;
  std::copy_if(shown.begin(), shown.end(), std::back_inserter(present),
               [](const Shown& one) { return one.skipped.empty(); });
  const size_t runs = present.empty() ? 0 : present[0].runs.size();
  absl::PrintF("%d pollers of %d verifications, plan %s, %.0f s; medians of %d run%s\n\n",
               size.pollers, size.verifications, plan, size.seconds, runs, runs == 1 ? "" : "s");
  PrintTable("Useful answers, and what upstream got", TrafficColumns(), present);
  PrintTable("From the first call to the answer, s", WaitColumns(), present);
  PrintTable(absl::StrCat("Verifications through, of ", size.onboardings), WriteColumns(), present);
  PrintFailures(present);
  PrintRatios(present);
  for (const Shown& one : shown) {
    if (!one.skipped.empty()) absl::PrintF("SKIPPED %s: %s\n", one.contender, one.skipped);
  }
}

}  // namespace idv::bench::storm
