// Lets a polling storm go over the gateway and what it is compared with; storm.sh says what and
// how. The runs take turns, so that a noisy machine disturbs all alike.

#include <curl/curl.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include "tests/bench/stage.h"
#include "tests/bench/storm/contender.h"
#include "tests/bench/storm/report.h"
#include "tests/bench/storm/storm.h"

namespace idv::bench::storm {
namespace {

struct Options {
  Size size;
  long poll_deadline_seconds = 60;
  int runs = 1;
  std::vector<std::string> contenders = ContenderNames();
  Programs programs{.gateway = IDV_GATEWAY_PATH,
                    .go_proxy = IDV_BENCH_GO_PROXY_PATH,
                    .without_go = "",
                    .plan = "professional"};
};

void AddFlags(CLI::App& app, Options& options) {
  Size& size = options.size;
  app.add_option("--seconds", size.seconds, "How long each storm lasts")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--pollers", size.pollers, "Callers that poll")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  app.add_option("--verifications", size.verifications, "Verifications that they poll")
      ->check(CLI::Range(1, 200))
      ->capture_default_str();
  app.add_option("--poll-deadline", options.poll_deadline_seconds, "Seconds that a poll may take")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--runs", options.runs, "Runs; figures are medians of them")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--only", options.contenders, "Leave the other contenders out; repeatable")
      ->check(CLI::IsMember(ContenderNames()));
  app.add_option("--plan", options.programs.plan, "What the tenant has booked")
      ->check(CLI::IsMember({"basic", "professional", "enterprise"}))
      ->capture_default_str();
  app.add_option("--gateway", options.programs.gateway, "Measure this build of the gateway")
      ->check(CLI::ExistingFile);
  app.add_option("--without-go", options.programs.without_go,
                 "Leave the Go proxy out, for this reason");
}

int Main(const Options& options) {
  std::vector<Shown> shown;
  for (const std::string& name : options.contenders) {
    shown.push_back({name, WhyNot(name, options.programs), {}});
  }
  for (int run = 0; run < options.runs; ++run) {
    for (Shown& one : shown) {
      if (!one.skipped.empty()) continue;
      std::fprintf(stderr, "run %d of %d: %s\n", run + 1, options.runs, one.contender.c_str());
      one.runs.push_back(RunStorm(one.contender, options.programs, options.size));
    }
  }
  PrintReport(options.size, options.programs.plan, shown);
  return 0;
}

}  // namespace
}  // namespace idv::bench::storm

int main(int argc, char** argv) {
  CLI::App app("Lets a polling storm go over idv-gateway and what it is compared with.",
               "tests/bench/storm.sh");
  idv::bench::storm::Options options;
  idv::bench::storm::AddFlags(app, options);
  app.footer("Exit codes: 0 measured, whatever came out; 1 something does not work.");
  CLI11_PARSE(app, argc, argv);
  options.size.poll_deadline = std::chrono::seconds(options.poll_deadline_seconds);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  try {
    return idv::bench::storm::Main(options);
  } catch (const idv::bench::Broken& broken) {
    std::cerr << "storm: " << broken.what() << "\n";
    return 1;
  }
}
