#include "upstream/loop/loop.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace idv {
namespace {

// How often descriptors are looked at in one turn while there are some that are ready: curl sends
// and receives in small pieces, and to look at everything else between two of them costs more than
// the piece.
constexpr int kDescriptorRounds = 4;

// How often resumed coroutines are run in one turn while there are more of them: bounded, since two
// could resume each other for ever.
constexpr int kReadyRounds = 4;

// Without a timer, how long a loop sleeps at most; any long time would do.
constexpr auto kNoTimer = std::chrono::hours(1);

int NewEpoll() {
  const int fd = epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) {
    std::perror("epoll_create1");
    std::abort();
  }
  return fd;
}

}  // namespace

Loop::Loop(Parker& parker, Watcher& watcher)
    : parker_(parker), watcher_(watcher), epoll_fd_(NewEpoll()) {
  watcher_.Add(epoll_fd_, [this] { parker_.Wake(); });
}

Loop::~Loop() {
  Close();
  close(epoll_fd_);
}

void Loop::WatchFd(int fd, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  const auto [place, is_new] = watched_.insert_or_assign(fd, events);
  // A descriptor that was closed while it was watched has left the epoll set by itself, and its
  // number may be back.
  if (!is_new && epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, fd, &event) == 0) return;
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) {
    std::perror("epoll_ctl");
    std::abort();
  }
}

void Loop::UnwatchFd(int fd) {
  // The descriptor may be closed already: then it has left the set by itself.
  if (watched_.erase(fd) > 0) epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
}

bool Loop::Post(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (closed_) return false;
  posted_.push_back(std::move(work));
  if (parked_) parker_.Wake();
  return true;
}

void Loop::Close() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(closed_, true)) return;
  }
  watcher_.Remove(epoll_fd_);
}

void Loop::Run() {
  for (;;) {
    const Parker::Result polled = parker_.Poll();
    if (polled == Parker::Result::kShutDown) break;
    bool worked = polled == Parker::Result::kWorked;
    for (int i = 0; i < kDescriptorRounds && PollFds(); ++i) worked = true;
    worked |= timers_.RunDue(Clock::now());
    worked |= RunPosted();
    worked |= RunReady();
    if (!worked && Park() == Parker::Result::kShutDown) break;
  }
  // Whoever posted work was told that it runs, and may wait for it.
  while (RunPosted() || RunReady()) {
  }
}

bool Loop::PollFds() {
  if (watched_.empty()) return false;
  std::array<epoll_event, 64> events;
  const int count = epoll_wait(epoll_fd_, events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<size_t>(i)];
    // A handler before it may have ended the watch.
    if (watched_.contains(event.data.fd)) fd_handler_(event.data.fd, event.events);
  }
  return count > 0;
}

bool Loop::RunPosted() {
  std::vector<std::function<void()>> work;
  {
    const std::lock_guard lock(mutex_);
    work.swap(posted_);
  }
  for (const auto& one : work) one();
  return !work.empty();
}

bool Loop::RunReady() {
  if (ready_.empty()) return false;
  // Some resume others, for which a whole turn would be dear.
  for (int i = 0; i < kReadyRounds && !ready_.empty(); ++i) {
    running_.swap(ready_);
    for (const auto coroutine : running_) coroutine.resume();
    running_.clear();
  }
  return true;
}

// Whether nothing was posted meanwhile: from here on a Post() wakes the parker.
bool Loop::PrepareToPark() {
  const std::lock_guard lock(mutex_);
  parked_ = posted_.empty();
  if (parked_ && !closed_ && !watched_.empty()) watcher_.Arm(epoll_fd_);
  return parked_;
}

Parker::Result Loop::Park() {
  if (!PrepareToPark()) return Parker::Result::kIdle;
  const Parker::Result result = parker_.Park(timers_.Next().value_or(Clock::now() + kNoTimer));
  const std::lock_guard lock(mutex_);
  parked_ = false;
  return result;
}

}  // namespace idv
