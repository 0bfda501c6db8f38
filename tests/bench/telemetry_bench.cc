// What telling of a call costs: series, its line in the log, its place in a trace that is not kept.

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <utility>
#include <vector>

#include "metrics/log.h"
#include "metrics/telemetry.h"

namespace idv {
namespace {

using std::chrono::microseconds;
using Stretch = CallRecord::Stretch;

constexpr char kTraceparent[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

// Lines go to another process, as to whoever collects logs, whose own time is not counted.
class Reader {
 public:
  Reader() : pipe_(popen("cat >/dev/null", "w")), stderr_(dup(STDERR_FILENO)) {
    dup2(fileno(pipe_), STDERR_FILENO);
  }
  ~Reader() {
    dup2(stderr_, STDERR_FILENO);
    close(stderr_);
    pclose(pipe_);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

 private:
  FILE* const pipe_;
  const int stderr_;
};

std::vector<CallSeries::Rpc> Rpcs() {
  return {{.service = "kora.idv.v1.VerificationService", .method = "GetVerification"}};
}

// A GetVerification of a service with an identity, that went well.
CallRecord Call() {
  CallRecord record{.began = CallRecord::Clock::now() - microseconds(900)};
  record.ended = record.began + microseconds(850);
  record.stretches.push_back({.kind = Stretch::Kind::kUpstream,
                              .began = record.began + microseconds(30),
                              .ended = record.began + microseconds(800),
                              .http_status = 200});
  record.request_id = "6f1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e";
  record.caller = "spiffe://cluster.local/ns/kyc/sa/onboarding";
  record.tenant = "acme";
  record.priority = "interactive";
  record.http_status = 200;
  record.attempts = 1;
  record.cache = "miss";
  record.received_messages = 1;
  record.received_bytes = 38;
  record.sent_bytes = 700;
  return record;
}

enum Parts { kNothing = 0, kSeries = 1, kLine = 2, kTrace = 4 };

void BM_Tell(benchmark::State& state) {
  const auto parts = static_cast<int>(state.range(0));
  const Reader reader;
  Log log;
  Telemetry telemetry(Rpcs(), {}, {}, (parts & kLine) != 0 ? &log : nullptr, nullptr);
  telemetry.SetOptions({.logs_calls = true, .sample_ratio = 0});
  // Of what the log holds at most, so that none is dropped.
  constexpr size_t kLinesAtOnce = 5000;
  size_t lines = 0;
  for ([[maybe_unused]] auto _ : state) {
    if ((parts & kLine) != 0 && ++lines % kLinesAtOnce == 0) log.Flush();
    CallRecord record = Call();
    if ((parts & kTrace) != 0) {
      Telemetry::Place place = telemetry.Begin(kTraceparent, "");
      record.trace = std::move(place.trace);
      record.parent_span_id = place.parent_span_id;
    }
    if ((parts & kSeries) != 0) {
      telemetry.series().Begun(0);
      telemetry.series().Requested({.rpc = 0,
                                    .http_status = 200,
                                    .first_byte = microseconds(700),
                                    .total = microseconds(770)});
      telemetry.series().LookedUp("none", "miss");
      telemetry.Ended(record);
    }
    benchmark::DoNotOptimize(record);
  }
  log.Flush();
  state.counters["dropped"] = static_cast<double>(log.dropped());
}
BENCHMARK(BM_Tell)
    ->ArgName("nothing0_series1_line3_all7")
    ->Arg(kNothing)
    ->Arg(kSeries)
    ->Arg(kSeries | kLine)
    ->Arg(kSeries | kLine | kTrace)
    ->MeasureProcessCPUTime();

}  // namespace
}  // namespace idv

BENCHMARK_MAIN();
