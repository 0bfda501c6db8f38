#include "metrics/line_writer.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <limits>
#include <utility>

namespace idv {
namespace {

using std::chrono::milliseconds;

// How long lines are gathered, so that many calls share one write.
constexpr milliseconds kGather{10};

// How often a reader that takes nothing is looked at.
constexpr milliseconds kPoll{100};

// For a reader that takes nothing, when the lines are to be written out.
constexpr milliseconds kPatience{1000};

// POSIX has a pipe ready for writing when it takes this much at once (PIPE_BUF); files and
// terminals block as they like.
size_t ChunkOf(int fd) {
  struct stat file{};
  const bool is_file = fstat(fd, &file) == 0 && S_ISREG(file.st_mode);
  return is_file ? std::numeric_limits<size_t>::max() : 4096;
}

}  // namespace

LineWriter::LineWriter(const Options& options)
    : options_(options), chunk_(ChunkOf(options.fd)), thread_([this] { Run(); }) {}

LineWriter::~LineWriter() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void LineWriter::Write(absl::string_view line) {
  bool was_empty = false;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() + line.size() >= options_.max_bytes) {
      ++untold_;
      ++dropped_;
      return;
    }
    was_empty = waiting_.empty();
    if (untold_ > 0 && options_.tell_dropped != nullptr) {
      waiting_.append(options_.tell_dropped(std::exchange(untold_, 0))).push_back('\n');
    }
    waiting_.append(line.data(), line.size()).push_back('\n');
  }
  if (was_empty) changed_.notify_all();
}

void LineWriter::Flush() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kPatience, [&] { return waiting_.empty() && !is_writing_; });
}

void LineWriter::Run() {
  std::string lines;
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return is_stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    if (!is_stopping_) changed_.wait_for(lock, kGather, [&] { return is_stopping_; });
    lines.clear();
    lines.swap(waiting_);
    is_writing_ = true;
    lock.unlock();
    const bool is_written = WriteOut(lines);
    lock.lock();
    is_writing_ = false;
    changed_.notify_all();
    if (!is_written) return;
  }
}

// False when it is given up, since the writer stops.
bool LineWriter::WriteOut(absl::string_view lines) {
  milliseconds patience = kPatience;
  while (!lines.empty()) {
    pollfd ready{.fd = options_.fd, .events = POLLOUT, .revents = 0};
    if (poll(&ready, 1, static_cast<int>(kPoll.count())) == 0) {
      const std::lock_guard lock(mutex_);
      if (is_stopping_) patience -= kPoll;
      if (patience <= milliseconds(0)) return false;
      continue;
    }
    const ssize_t written = write(options_.fd, lines.data(), std::min(lines.size(), chunk_));
    if (written > 0) {
      lines.remove_prefix(static_cast<size_t>(written));
    } else if (errno != EINTR && errno != EAGAIN) {
      return true;  // nobody will ever read them
    }
  }
  return true;
}

}  // namespace idv
