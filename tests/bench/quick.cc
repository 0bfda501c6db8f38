// Measures the gateway beside the bare parts it is made of; quick.sh says what and how. The rounds
// take turns, so that a noisy machine disturbs all alike.

#include <curl/curl.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/quick_report.h"
#include "tests/bench/stage.h"

namespace idv::bench {
namespace {

constexpr int kStarts = 5;
// From the last call on: what a busy process still has to do, and then the rest.
constexpr auto kSettle = std::chrono::seconds(1);
constexpr auto kIdle = std::chrono::seconds(3);

struct Options {
  int rounds = 5;
  size_t calls = 20'000;
  size_t rate = 1'000;
  double seconds = 3;
  std::string json;
  std::string gateway = IDV_GATEWAY_PATH;

  size_t paced_calls() const {
    return std::max<size_t>(static_cast<size_t>(static_cast<double>(rate) * seconds), 1);
  }
  size_t warm_up(size_t measured) const { return std::min<size_t>(measured, 500); }
};

using Arguments = std::vector<std::string>;

class Quick {
 public:
  explicit Quick(const Options& options) : options_(options) {}

  Findings Run();

 private:
  ServingGateway& StartGateway();
  void MeasureRound();
  Figures Measure(const std::string& program, const Arguments& target);
  nlohmann::json Measure(const std::string& program, Arguments target, size_t calls, size_t rate);
  Arguments LoadOn(const std::string& address, pid_t pid) const {
    return {"--target", address, "--server-pid", std::to_string(pid)};
  }
  void MeasureIdle();

  const Options& options_;
  const Listener upstream_{IDV_BENCH_UPSTREAM_PATH, {}};
  const Listener echo_{IDV_BENCH_ECHO_PATH, {}};
  std::unique_ptr<ServingGateway> gateway_;
  Findings findings_;
};

// Several times, for the time it takes; the last one stays.
ServingGateway& Quick::StartGateway() {
  for (int i = 0; i < kStarts; ++i) {
    gateway_.reset();
    gateway_ = std::make_unique<ServingGateway>(options_.gateway, upstream_.address());
    findings_.ready_ms.push_back(
        std::chrono::duration<double, std::milli>(gateway_->ready_after()).count());
  }
  return *gateway_;
}

nlohmann::json Quick::Measure(const std::string& program, Arguments arguments, size_t calls,
                              size_t rate) {
  const size_t warm_up = options_.warm_up(calls);
  arguments.insert(arguments.end(),
                   {"--calls", std::to_string(calls), "--warm-up", std::to_string(warm_up)});
  if (rate > 0) arguments.insert(arguments.end(), {"--rate", std::to_string(rate)});
  if (program != IDV_BENCH_LOAD_PATH || arguments[1] != echo_.address()) {
    findings_.upstream_expected += calls + warm_up;
  }
  return RunClient(program, arguments);
}

Figures Quick::Measure(const std::string& program, const Arguments& target) {
  Figures figures;
  figures.closed = Measure(program, target, options_.calls, 0);
  figures.paced = Measure(program, target, options_.paced_calls(), options_.rate);
  return figures;
}

void Quick::MeasureRound() {
  Round round;
  round.echo = Measure(IDV_BENCH_LOAD_PATH, LoadOn(echo_.address(), echo_.pid()));
  round.curl = Measure(IDV_BENCH_CURL_PATH, {"--upstream", "http://" + upstream_.address()});
  round.gateway = Measure(IDV_BENCH_LOAD_PATH, LoadOn(gateway_->address(), gateway_->pid()));
  findings_.rounds.push_back(std::move(round));
}

void Quick::MeasureIdle() {
  std::this_thread::sleep_for(kSettle);
  const long before = e2e::CpuTicks(gateway_->pid());
  std::this_thread::sleep_for(kIdle);
  findings_.idle_ticks = e2e::CpuTicks(gateway_->pid()) - before;
  findings_.idle_seconds = std::chrono::duration<double>(kIdle).count();
}

Findings Quick::Run() {
  findings_.rate = static_cast<double>(options_.rate);
  findings_.idle_mb = ResidentMb(StartGateway().pid());
  for (int i = 0; i < options_.rounds; ++i) {
    std::fprintf(stderr, "round %d of %d\n", i + 1, options_.rounds);
    MeasureRound();
  }
  MeasureIdle();
  findings_.upstream_served = ServedBy(upstream_);
  return findings_;
}

int Main(const Options& options) {
  const Findings findings = Quick(options).Run();
  PrintReport(findings);
  if (!options.json.empty()) {
    std::ofstream file(options.json);
    file << ToJson(findings).dump(2) << "\n";
    if (!file.flush()) throw Broken("cannot write " + options.json);
  }
  if (findings.upstream_served != findings.upstream_expected) {
    throw Broken("the upstream has not served as many requests as were made");
  }
  return 0;
}

}  // namespace
}  // namespace idv::bench

int main(int argc, char** argv) {
  CLI::App app("Measures idv-gateway beside a bare gRPC echo and a bare libcurl client.",
               "tests/bench/quick.sh");
  idv::bench::Options options;
  app.add_option("--rounds", options.rounds, "Rounds; figures are medians of them")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--calls", options.calls, "Calls of a round with 40 in flight")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--rate", options.rate, "Evenly spaced calls a second")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--seconds", options.seconds, "How long they go on in a round")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--json", options.json, "Also write the figures to this file");
  app.add_option("--gateway", options.gateway, "Measure this build of the gateway")
      ->check(CLI::ExistingFile);
  app.footer("Exit codes: 0 measured, whatever came out; 1 something does not work.");
  CLI11_PARSE(app, argc, argv);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  try {
    return idv::bench::Main(options);
  } catch (const idv::bench::Broken& broken) {
    std::cerr << "quick: " << broken.what() << "\n";
    return 1;
  }
}
