#include "tests/bench/streams_report.h"

#include <absl/strings/str_format.h>

#include <functional>
#include <utility>

#include "tests/bench/spread.h"

namespace idv::bench {
namespace {

// The targets of design section 11.
constexpr double kMaxCpuRatio = 1.5;
constexpr double kMaxStreamGrowthMib = 8;
constexpr double kMaxUploadMemoryRatio = 1.3;

using Figure = std::function<double(const StreamsRound&)>;
using Program = nlohmann::json StreamsRound::*;

Spread Over(const StreamsFindings& findings, const Figure& figure) {
  std::vector<double> values;
  for (const StreamsRound& round : findings.rounds) values.push_back(figure(round));
  return SpreadOf(std::move(values));
}

double Megabytes(const nlohmann::json& report) { return report["image_bytes"].get<double>() / 1e6; }

Figure CpuOf(Program program) {
  return [=](const StreamsRound& round) {
    return (round.*program)["cpu_ms"].get<double>() / Megabytes(round.*program);
  };
}
Figure SpeedOf(Program program) {
  return [=](const StreamsRound& round) {
    return Megabytes(round.*program) / (round.*program)["seconds"].get<double>();
  };
}
Figure GrowthOf(Program program) {
  return [=](const StreamsRound& round) {
    return (round.*program)["growth_bytes"].get<double>() / (1 << 20);
  };
}

double Bare(const StreamsRound& round) {
  return CpuOf(&StreamsRound::receive)(round) + CpuOf(&StreamsRound::send)(round);
}
double CpuRatio(const StreamsRound& round) {
  return CpuOf(&StreamsRound::gateway)(round) / Bare(round);
}
double MemoryRatio(const StreamsRound& round) {
  return round.uploads["growth_bytes"].get<double>() / round.uploads["image_bytes"].get<double>();
}

struct Row {
  const char* name;
  const char* key;
  Figure cpu;
  Figure speed;  // null: none
};
std::vector<Row> Rows() {
  const auto row = [](const char* name, const char* key, Program program) {
    return Row{name, key, CpuOf(program), SpeedOf(program)};
  };
  return {row("bare gRPC receive", "receive", &StreamsRound::receive),
          row("bare libcurl send", "send", &StreamsRound::send),
          {"bare parts together", "bare", Bare, nullptr},
          row("gateway", "gateway", &StreamsRound::gateway),
          {"gateway / bare parts", "ratio", CpuRatio, nullptr},
          row("gateway, uploads", "uploads", &StreamsRound::uploads)};
}

void PrintCosts(const StreamsFindings& findings) {
  absl::PrintF("%-30s%-28s%s\n",
               absl::StrFormat("A stream of %d MB", findings.stream_bytes / 1'000'000),
               "  CPU, ms per MB", "  MB/s");
  for (const Row& row : Rows()) {
    absl::PrintF("  %-28s%-28s%s\n", row.name, Text(Over(findings, row.cpu)),
                 row.speed ? Text(Over(findings, row.speed)) : "");
  }
}

void PrintMemory(const StreamsFindings& findings) {
  absl::PrintF("\nMemory at its peak, MiB more than before\n");
  absl::PrintF("  %-28s%s\n", "bare gRPC receive",
               Text(Over(findings, GrowthOf(&StreamsRound::receive))));
  absl::PrintF("  %-28s%s\n", "gateway", Text(Over(findings, GrowthOf(&StreamsRound::gateway))));
  absl::PrintF("  %-28s%s\n",
               absl::StrFormat("gateway, %d uploads, %d MB", findings.uploads,
                               findings.upload_bytes / 1'000'000),
               Text(Over(findings, GrowthOf(&StreamsRound::uploads))));
}

void PrintArrived(const char* what, uint64_t served, uint64_t expected) {
  absl::PrintF("%s  %-42s%-28d%-5s  exactly %d\n", served == expected ? "PASS" : "MISS", what,
               served, "", expected);
}

void PrintTargets(const StreamsFindings& findings) {
  absl::PrintF("\nTargets\n");
  PrintTarget("CPU of a stream, gateway / bare parts", Over(findings, CpuRatio), "", kMaxCpuRatio);
  PrintTarget("memory that a stream takes", Over(findings, GrowthOf(&StreamsRound::gateway)), "MiB",
              kMaxStreamGrowthMib);
  PrintTarget("memory of uploads / their images", Over(findings, MemoryRatio), "",
              kMaxUploadMemoryRatio);
  PrintArrived("requests that arrived whole", findings.requests_served, findings.requests_expected);
  PrintArrived("bytes of their bodies", findings.body_bytes_served, findings.body_bytes_expected);
}

}  // namespace

void PrintReport(const StreamsFindings& findings) {
  absl::PrintF("Medians of %d rounds (lowest..highest)\n\n", findings.rounds.size());
  PrintCosts(findings);
  PrintMemory(findings);
  PrintTargets(findings);
}

nlohmann::json ToJson(const StreamsFindings& findings) {
  nlohmann::json json = {
      {"stream_bytes", findings.stream_bytes},
      {"uploads", findings.uploads},
      {"upload_bytes", findings.upload_bytes},
      {"stream_growth_mib", ToJson(Over(findings, GrowthOf(&StreamsRound::gateway)))},
      {"uploads_growth_mib", ToJson(Over(findings, GrowthOf(&StreamsRound::uploads)))},
      {"uploads_memory_ratio", ToJson(Over(findings, MemoryRatio))},
      {"requests_served", findings.requests_served},
      {"requests_expected", findings.requests_expected},
      {"body_bytes_served", findings.body_bytes_served},
      {"body_bytes_expected", findings.body_bytes_expected}};
  for (const Row& row : Rows()) {
    json["cpu_ms_per_mb"][row.key] = ToJson(Over(findings, row.cpu));
    if (row.speed) json["mb_per_second"][row.key] = ToJson(Over(findings, row.speed));
  }
  return json;
}

}  // namespace idv::bench
