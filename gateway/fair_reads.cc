// Has gRPC read its connections in turns, so that none of them can keep a shard to itself.
//
// gRPC 1.51 reads a connection until nothing is left in its socket before it looks at anything
// else: the other connections, and the calls that it has read so far. Whoever sends faster than
// gRPC parses (100,000 streams, each reset at once; headers without end; PINGs) stops all other
// callers and has gRPC pile up calls without bound, below every cap of ours. No channel argument of
// gRPC 1.51 changes that.
//
// This file therefore puts itself between gRPC and two functions of the C library: recvmsg(), which
// tells gRPC now and then that there is nothing more to read, and epoll_ctl(), which learns where
// gRPC waits for a connection, so that it can be woken for the rest. Linked into a program, it
// works for all connections that gRPC serves in it; there is nothing to call. A connection whose
// socket is empty when its turn ends costs nothing more.
//
// How much a turn may read depends on how long gRPC took for what it read before: images go through
// in large pieces, what makes work in small ones.

#include <dlfcn.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

namespace idv {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kLeastBytes = 1 << 10;
// Frame streams of 500 MB cost a tenth more processor time with 64 KiB (tests/bench/streams.sh).
constexpr size_t kMostBytes = 256 << 10;
// A turn that took less allows the next one twice as much, one that took more half as much.
constexpr std::chrono::microseconds kShort{25};
constexpr std::chrono::microseconds kLong{50};

// The function of that name that would be called without this file.
template <typename Function>
Function* Next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

int NextEpollCtl(int epoll_fd, int operation, int fd, epoll_event* event) {
  static auto* const next = Next<int(int, int, int, epoll_event*)>("epoll_ctl");
  return next(epoll_fd, operation, fd, event);
}

ssize_t NextRecvmsg(int fd, msghdr* message, int flags) {
  static auto* const next = Next<ssize_t(int, msghdr*, int)>("recvmsg");
  return next(fd, message, flags);
}

// How many more bytes the kernel has, if it said so, as gRPC asks it to for TCP.
std::optional<int> BytesLeft(msghdr& message) {
  for (cmsghdr* one = CMSG_FIRSTHDR(&message); one != nullptr; one = CMSG_NXTHDR(&message, one)) {
    if (one->cmsg_level != IPPROTO_TCP || one->cmsg_type != TCP_CM_INQ) continue;
    int bytes = 0;
    std::memcpy(&bytes, CMSG_DATA(one), sizeof bytes);
    return bytes;
  }
  return std::nullopt;
}

size_t SpaceIn(const msghdr& message) {
  size_t space = 0;
  for (size_t i = 0; i < message.msg_iovlen; ++i) space += message.msg_iov[i].iov_len;
  return space;
}

// A connection as its reader sees it. gRPC reads one connection on one thread at a time, though not
// always on the same; the atomics are for whoever comes by the same descriptor afterwards.
class Connection {
 public:
  void Begin(int epoll_fd, const epoll_event& event) {
    event_data_ = event.data.u64;
    events_ = event.events;
    allowed_ = kLeastBytes;
    used_ = 0;
    epoll_fd_ = epoll_fd;
  }
  void End() { epoll_fd_ = kNone; }
  bool is_open() const { return epoll_fd_ != kNone; }

  ssize_t Read(int fd, msghdr* message, int flags);

 private:
  static constexpr int kNone = -1;

  ssize_t ReadAllowed(int fd, msghdr* message, int flags);
  void EndTurn(int fd);

  std::atomic<int> epoll_fd_ = kNone;
  std::atomic<uint64_t> event_data_ = 0;
  std::atomic<uint32_t> events_ = 0;
  // In bytes.
  std::atomic<size_t> allowed_ = 0;
  std::atomic<size_t> used_ = 0;
  // Once all that is allowed has been read.
  std::atomic<bool> asks_on_ = false;  // before it parses, gRPC will want to fill its buffer
  std::atomic<Clock::rep> parsing_since_ = 0;
};

ssize_t Connection::Read(int fd, msghdr* message, int flags) {
  if (used_ < allowed_) return ReadAllowed(fd, message, flags);
  // At the first of these gRPC parses what it has, at the second it waits to be woken.
  if (!asks_on_.exchange(false)) EndTurn(fd);
  errno = EAGAIN;
  return -1;
}

ssize_t Connection::ReadAllowed(int fd, msghdr* message, int flags) {
  const size_t most = allowed_ - used_;
  std::array<iovec, 64> pieces;
  size_t count = 0;
  for (size_t left = most; count < std::min(message->msg_iovlen, pieces.size()) && left > 0;) {
    pieces[count] = message->msg_iov[count];
    pieces[count].iov_len = std::min(pieces[count].iov_len, left);
    left -= pieces[count++].iov_len;
  }
  msghdr shortened = *message;
  shortened.msg_iov = pieces.data();
  shortened.msg_iovlen = count;
  const ssize_t got = NextRecvmsg(fd, &shortened, flags);
  message->msg_controllen = shortened.msg_controllen;
  message->msg_flags = shortened.msg_flags;

  // When the socket is empty gRPC waits by itself.
  const bool is_empty = got <= 0 || BytesLeft(*message) == 0;
  used_ = is_empty ? 0 : used_ + static_cast<size_t>(got);
  if (used_ >= allowed_) {
    asks_on_ = static_cast<size_t>(got) < SpaceIn(*message);
    parsing_since_ = Clock::now().time_since_epoch().count();
  }
  return got;
}

// gRPC has parsed what it read. Wakes it, once it has seen to everything else, for what is left.
void Connection::EndTurn(int fd) {
  const auto took = Clock::now().time_since_epoch() - Clock::duration(parsing_since_.load());
  if (took < kShort) allowed_ = std::min(2 * allowed_, kMostBytes);
  if (took > kLong) allowed_ = std::max(allowed_ / 2, kLeastBytes);
  used_ = 0;
  epoll_event event{};
  event.events = events_;
  event.data.u64 = event_data_;
  NextEpollCtl(epoll_fd_, EPOLL_CTL_MOD, fd, &event);
}

// By descriptor; those with higher numbers are read without turns.
std::array<Connection, 1 << 16> connections;

Connection* Find(int fd) {
  return fd >= 0 && static_cast<size_t>(fd) < connections.size()
             ? &connections[static_cast<size_t>(fd)]
             : nullptr;
}

// Nobody else in this program waits for both directions by edges.
bool IsGrpcs(const epoll_event& event) {
  constexpr uint32_t kMark = EPOLLIN | EPOLLOUT | EPOLLET;
  return (event.events & kMark) == kMark;
}

}  // namespace
}  // namespace idv

extern "C" int epoll_ctl(int epoll_fd, int operation, int fd, epoll_event* event) noexcept {
  if (auto* const connection = idv::Find(fd); connection != nullptr && operation == EPOLL_CTL_ADD) {
    if (idv::IsGrpcs(*event)) {
      connection->Begin(epoll_fd, *event);
    } else {
      connection->End();
    }
  }
  return idv::NextEpollCtl(epoll_fd, operation, fd, event);
}

extern "C" ssize_t recvmsg(int fd, msghdr* message, int flags) {
  auto* const connection = idv::Find(fd);
  if (connection == nullptr || !connection->is_open()) {
    return idv::NextRecvmsg(fd, message, flags);
  }
  return connection->Read(fd, message, flags);
}
