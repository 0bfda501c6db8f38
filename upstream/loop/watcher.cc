#include "upstream/loop/watcher.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace idv {
namespace {

// A process without descriptors left cannot start; there is nothing to recover.
int OrDie(int result, const char* what) {
  if (result >= 0) return result;
  std::perror(what);
  std::abort();
}

void Control(int epoll_fd, int operation, int fd, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  OrDie(epoll_ctl(epoll_fd, operation, fd, &event), "epoll_ctl");
}

}  // namespace

Watcher::Watcher()
    : epoll_fd_(OrDie(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      stop_fd_(OrDie(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {
  Control(epoll_fd_, EPOLL_CTL_ADD, stop_fd_, EPOLLIN);
  thread_ = std::thread([this] { Run(); });
}

Watcher::~Watcher() {
  const uint64_t one = 1;
  OrDie(static_cast<int>(write(stop_fd_, &one, sizeof one)), "write");
  thread_.join();
  close(stop_fd_);
  close(epoll_fd_);
}

void Watcher::Add(int fd, std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  wakes_[fd] = std::move(wake);
  Control(epoll_fd_, EPOLL_CTL_ADD, fd, 0);
}

void Watcher::Remove(int fd) {
  const std::lock_guard lock(mutex_);
  Control(epoll_fd_, EPOLL_CTL_DEL, fd, 0);
  wakes_.erase(fd);
}

void Watcher::Arm(int fd) { Control(epoll_fd_, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLONESHOT); }

void Watcher::Run() {
  std::array<epoll_event, 64> events;
  for (;;) {
    const int count = epoll_wait(epoll_fd_, events.data(), static_cast<int>(events.size()), -1);
    if (count < 0 && errno == EINTR) continue;
    OrDie(count, "epoll_wait");
    // Held while waking, so that Remove() waits for a wake that is under way.
    const std::lock_guard lock(mutex_);
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<size_t>(i)].data.fd;
      if (fd == stop_fd_) return;
      if (const auto wake = wakes_.find(fd); wake != wakes_.end()) wake->second();
    }
  }
}

}  // namespace idv
