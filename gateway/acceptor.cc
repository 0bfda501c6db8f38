#include "gateway/acceptor.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <utility>

namespace idv {
namespace {

// Accepted from one listener before the others, and connections that end, get their turn.
constexpr int kMaxAcceptsPerTurn = 64;

// Between two connections that are handed over: each costs gRPC about 200 us, and a thousand at
// once would be in the way of all calls for as long as that takes.
constexpr std::chrono::milliseconds kPause{1};

int OpenReserve() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

int AcceptFrom(int listener_fd) {
  return accept4(listener_fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

}  // namespace

Acceptor::Acceptor(std::vector<Listener> listeners, int max_connections, HandOver hand_over)
    : listeners_(std::move(listeners)),
      max_connections_(max_connections),
      hand_over_(std::move(hand_over)),
      epoll_fd_(epoll_create1(EPOLL_CLOEXEC)),
      stop_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      reserve_fd_(OpenReserve()) {
  Watch(stop_fd_, EPOLLIN);
  for (const Listener& listener : listeners_) {
    for (const int fd : listener.fds()) {
      listener_fds_.insert(fd);
      Watch(fd, EPOLLIN);
    }
  }
  thread_ = std::thread([this] { Run(); });
}

Acceptor::~Acceptor() {
  const uint64_t one = 1;
  if (write(stop_fd_, &one, sizeof one) != sizeof one) std::abort();
  thread_.join();
  for (const int fd : watched_) close(fd);
  for (const int fd : {reserve_fd_, stop_fd_, epoll_fd_}) close(fd);
}

void Acceptor::Watch(int fd, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  // Without memory for this there is no gateway.
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) std::abort();
}

void Acceptor::Run() {
  std::array<epoll_event, 64> events;
  for (;;) {
    const int count = epoll_wait(epoll_fd_, events.data(), static_cast<int>(events.size()), -1);
    if (count < 0 && errno != EINTR) std::abort();
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<size_t>(i)].data.fd;
      if (fd == stop_fd_) return;
      if (listener_fds_.contains(fd)) {
        Accept(fd);
      } else {
        Forget(fd);
      }
    }
  }
}

// A connection has ended.
void Acceptor::Forget(int duplicate) {
  // By hand, since the set goes on watching what gRPC may still have open.
  epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, duplicate, nullptr);
  watched_.erase(duplicate);
  close(duplicate);
  --open_;
}

void Acceptor::Accept(int listener_fd) {
  for (int i = 0; i < kMaxAcceptsPerTurn; ++i) {
    const int fd = AcceptFrom(listener_fd);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE)) {
      close(reserve_fd_);
      if (const int refused = AcceptFrom(listener_fd); refused >= 0) close(refused);
      reserve_fd_ = OpenReserve();
      ++refused_;
      return;
    }
    // Nobody waits any more, or who did has gone.
    if (fd < 0) return;
    // gRPC does not tell when it is done with a connection, but it shuts it down before it closes
    // it, and a duplicate of the descriptor hears of that.
    const int duplicate = open_ < max_connections_ ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
    if (duplicate < 0) {
      close(fd);
      ++refused_;
      continue;
    }
    watched_.insert(duplicate);
    ++open_;
    Watch(duplicate, 0);  // the kernel tells of a hang-up unasked
    hand_over_(listener_fd, fd);
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace idv
