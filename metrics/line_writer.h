#pragma once

#include <absl/strings/string_view.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

namespace idv {

// Writes lines to a file descriptor on a thread of its own, many at a time, so that nobody waits
// for whoever reads them. What is held is bounded: when the reader is too slow, lines are dropped
// and counted, and a line tells of it when there is room again. Thread-safe.
class LineWriter {
 public:
  struct Options {
    int fd = 2;
    // Of lines that wait to be written.
    size_t max_bytes = size_t{4} << 20;
    // Makes the line, without its end, that tells of so many dropped ones.
    std::string (*tell_dropped)(uint64_t lines) = nullptr;
  };

  explicit LineWriter(const Options& options);
  // Writes what is there, unless the reader takes nothing for a second.
  ~LineWriter();
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  // `line` is without its end. Never waits for the reader.
  void Write(absl::string_view line);

  // Waits until all lines so far are written, a second at most.
  void Flush();

  uint64_t dropped() const { return dropped_; }

 private:
  void Run();
  bool WriteOut(absl::string_view lines);

  const Options options_;
  const size_t chunk_;  // what the descriptor takes without blocking once it is ready
  std::atomic<uint64_t> dropped_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  // Protected by mutex_:
  std::string waiting_;
  bool is_writing_ = false;
  bool is_stopping_ = false;
  uint64_t untold_ = 0;  // dropped lines

  std::thread thread_;
};

}  // namespace idv
