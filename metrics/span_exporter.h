#pragma once

#include <absl/status/statusor.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "metrics/otlp_client.h"
#include "metrics/span.h"

namespace idv {

// Brings spans to a collector, in batches and on a thread of its own. What the collector does not
// take, or what comes faster than it takes, is dropped and counted; nothing is sent twice.
// Thread-safe.
class SpanExporter {
 public:
  // Of spans that wait. One with a few attributes takes about a kilobyte.
  static constexpr size_t kMaxQueued = 8192;

  struct Options {
    OtlpClient::Options collector;
    // Told why spans were dropped, on the exporter's thread, once a minute at most.
    std::function<void(const std::string& problem)> on_problem = [](const std::string&) {};
  };

  // Whether this program can export at all.
  static bool IsBuiltIn() { return OtlpClient::kIsBuiltIn; }

  // Does not connect yet. kInvalidArgument: a bad endpoint. kUnimplemented: not built in.
  static absl::StatusOr<std::unique_ptr<SpanExporter>> Start(Options options);

  // Sends what waits for up to a second and a request more, as long as the collector takes it.
  ~SpanExporter();
  SpanExporter(const SpanExporter&) = delete;
  SpanExporter& operator=(const SpanExporter&) = delete;

  // Never waits for the collector. The spans are queued all or not at all.
  void Export(std::vector<Span> spans);

  // Spans that the collector took.
  uint64_t exported() const { return exported_; }
  // Spans that it did not, or for which there was no room.
  uint64_t dropped() const { return dropped_; }

 private:
  using TimePoint = std::chrono::steady_clock::time_point;

  SpanExporter(std::unique_ptr<OtlpClient> client, Options options);

  void Run();
  std::vector<Span> NextBatch();
  bool Send(const std::vector<Span>& batch);
  bool MayGoOn(bool was_taken);
  void DropTheRest();
  void Report(const std::string& problem);

  const Options options_;
  const std::unique_ptr<OtlpClient> client_;
  std::atomic<uint64_t> exported_ = 0;
  std::atomic<uint64_t> dropped_ = 0;
  TimePoint next_report_;  // of the thread

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::vector<Span>> queue_;  // protected by mutex_
  size_t queued_ = 0;                    // spans in queue_; protected by mutex_
  bool is_ending_ = false;               // protected by mutex_
  TimePoint end_;                        // of sending, once is_ending_; protected by mutex_

  std::thread thread_;
};

}  // namespace idv
