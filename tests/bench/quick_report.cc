#include "tests/bench/quick_report.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

#include <functional>
#include <utility>

#include "tests/bench/spread.h"

namespace idv::bench {
namespace {

// The targets of design section 11.
constexpr double kMaxCpuRatio = 1.4;
constexpr double kMaxAddedP50Ms = 0.3;
constexpr double kMaxAddedP99Ms = 1;
constexpr double kMaxIdleMb = 30;
constexpr double kMaxReadyMs = 200;

constexpr const char* kQuantiles[] = {"p50", "p90", "p99", "p999", "max"};

using Figure = std::function<double(const Round&)>;
using Pattern = nlohmann::json Figures::*;

Spread Over(const Findings& findings, const Figure& figure) {
  std::vector<double> values;
  for (const Round& round : findings.rounds) values.push_back(figure(round));
  return SpreadOf(std::move(values));
}

// The figures of a round.
Figure Of(Figures Round::* program, Pattern pattern, const char* name) {
  return [=](const Round& round) { return (round.*program.*pattern)[name].get<double>(); };
}
Figure Bare(Pattern pattern) {
  return [echo = Of(&Round::echo, pattern, "cpu_us"), curl = Of(&Round::curl, pattern, "cpu_us")](
             const Round& round) { return echo(round) + curl(round); };
}
Figure Ratio(Pattern pattern) {
  return [gateway = Of(&Round::gateway, pattern, "cpu_us"),
          bare = Bare(pattern)](const Round& round) { return gateway(round) / bare(round); };
}
Figure Added(const char* quantile) {
  return [gateway = Of(&Round::gateway, &Figures::paced, quantile),
          curl = Of(&Round::curl, &Figures::paced, quantile)](const Round& round) {
    return gateway(round) - curl(round);
  };
}

struct CpuRow {
  const char* name;
  const char* key;
  std::function<Figure(Pattern)> figure;
};
std::vector<CpuRow> CpuRows() {
  const auto of = [](Figures Round::* program) {
    return [=](Pattern pattern) { return Of(program, pattern, "cpu_us"); };
  };
  return {{"bare gRPC echo", "echo", of(&Round::echo)},
          {"bare libcurl multi", "curl", of(&Round::curl)},
          {"bare parts together", "bare", Bare},
          {"gateway", "gateway", of(&Round::gateway)},
          {"gateway / bare parts", "ratio", Ratio}};
}

struct LatencyRow {
  const char* name;
  const char* key;
  std::function<Figure(const char* quantile)> figure;
};
std::vector<LatencyRow> LatencyRows() {
  const auto of = [](Figures Round::* program) {
    return [=](const char* quantile) { return Of(program, &Figures::paced, quantile); };
  };
  return {{"bare libcurl to the upstream", "curl", of(&Round::curl)},
          {"bare gRPC echo", "echo", of(&Round::echo)},
          {"gateway", "gateway", of(&Round::gateway)},
          {"added: gateway - libcurl", "added", Added}};
}

void PrintCpu(const Findings& findings) {
  absl::PrintF("%-30s%-28s%s\n", "CPU per unary GET, us", "  40 in flight",
               absl::StrFormat("  %.0f calls/s", findings.rate));
  for (const CpuRow& row : CpuRows()) {
    absl::PrintF("  %-28s%-28s%s\n", row.name, Text(Over(findings, row.figure(&Figures::closed))),
                 Text(Over(findings, row.figure(&Figures::paced))));
  }
}

void PrintThroughput(const Findings& findings) {
  const auto rate = [](Figures Round::* program) -> Figure {
    return [=](const Round& round) {
      const nlohmann::json& closed = (round.*program).closed;
      return closed["calls"].get<double>() / closed["seconds"].get<double>() / 1000;
    };
  };
  absl::PrintF("\nThousand calls/s, 40 in flight\n");
  absl::PrintF("  %-28s%s\n", "bare gRPC echo", Text(Over(findings, rate(&Round::echo))));
  absl::PrintF("  %-28s%s\n", "bare libcurl multi", Text(Over(findings, rate(&Round::curl))));
  absl::PrintF("  %-28s%s\n", "gateway", Text(Over(findings, rate(&Round::gateway))));
}

void PrintLatencies(const Findings& findings) {
  absl::PrintF("\n%-30s", absl::StrFormat("Latency, ms, %.0f calls/s", findings.rate));
  for (const char* quantile : kQuantiles) absl::PrintF("%9s", quantile);
  absl::PrintF("\n");
  for (const LatencyRow& row : LatencyRows()) {
    absl::PrintF("  %-28s", row.name);
    for (const char* quantile : kQuantiles) {
      absl::PrintF("%9.3f", Over(findings, row.figure(quantile)).median);
    }
    absl::PrintF("\n");
  }
}

void PrintTargets(const Findings& findings) {
  absl::PrintF("\nTargets\n");
  PrintTarget("CPU, gateway / bare parts, 40 in flight", Over(findings, Ratio(&Figures::closed)),
              "", kMaxCpuRatio);
  PrintTarget("added latency, p50", Over(findings, Added("p50")), "ms", kMaxAddedP50Ms);
  PrintTarget("added latency, p99", Over(findings, Added("p99")), "ms", kMaxAddedP99Ms);
  PrintTarget("memory before the first call", SpreadOf({findings.idle_mb}), "MB", kMaxIdleMb);
  PrintTarget("start to ready", SpreadOf(findings.ready_ms), "ms", kMaxReadyMs);
  PrintTarget(
      absl::StrFormat("CPU in %.0f s idle, connections kept", findings.idle_seconds).c_str(),
      SpreadOf({static_cast<double>(findings.idle_ticks)}), "ticks", 0);
  const bool all_counted = findings.upstream_served == findings.upstream_expected;
  absl::PrintF("%s  %-42s%8d%26sexactly %d\n", all_counted ? "PASS" : "MISS",
               "requests that reached the upstream", findings.upstream_served, "",
               findings.upstream_expected);
}

}  // namespace

void PrintReport(const Findings& findings) {
  absl::PrintF("Medians of %d rounds (lowest..highest)\n\n", findings.rounds.size());
  PrintCpu(findings);
  PrintThroughput(findings);
  PrintLatencies(findings);
  PrintTargets(findings);
}

nlohmann::json ToJson(const Findings& findings) {
  nlohmann::json json = {{"rate", findings.rate},
                         {"ready_ms", ToJson(SpreadOf(findings.ready_ms))},
                         {"idle_mb", findings.idle_mb},
                         {"idle_ticks", findings.idle_ticks},
                         {"idle_seconds", findings.idle_seconds},
                         {"upstream_served", findings.upstream_served},
                         {"upstream_expected", findings.upstream_expected}};
  for (const CpuRow& row : CpuRows()) {
    json["cpu_us"]["closed"][row.key] = ToJson(Over(findings, row.figure(&Figures::closed)));
    json["cpu_us"]["paced"][row.key] = ToJson(Over(findings, row.figure(&Figures::paced)));
  }
  for (const LatencyRow& row : LatencyRows()) {
    for (const char* quantile : kQuantiles) {
      json["latency_ms"][row.key][quantile] = ToJson(Over(findings, row.figure(quantile)));
    }
  }
  return json;
}

}  // namespace idv::bench
