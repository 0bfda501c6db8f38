#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <unordered_set>
#include <vector>

#include "gateway/listener.h"

namespace idv {

// Accepts the callers' connections, hands them on, and keeps their number within a cap. It has one
// thread, which sleeps until somebody connects or hangs up. Start and destruction on one thread.
class Acceptor {
 public:
  // Takes over the connection's descriptor, which is non-blocking. On the acceptor's thread.
  using HandOver = std::function<void(int listener_fd, int fd)>;

  // A connection over `max_connections` is closed at once.
  Acceptor(std::vector<Listener> listeners, int max_connections, HandOver hand_over);
  // Stops listening. Connections that were handed over go on.
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  // From any thread.
  int open_connections() const { return open_; }
  int refused_connections() const { return refused_; }

 private:
  void Run();
  void Accept(int listener_fd);
  void Watch(int fd, uint32_t events);
  void Forget(int duplicate);

  const std::vector<Listener> listeners_;
  const int max_connections_;
  const HandOver hand_over_;
  const int epoll_fd_;
  const int stop_fd_;
  // Given up for a moment when no descriptor is left, to accept and close what waits.
  int reserve_fd_;

  std::unordered_set<int> listener_fds_;
  // Of the open connections, duplicates that tell when they end; for the thread.
  std::unordered_set<int> watched_;
  std::atomic<int> open_ = 0;
  std::atomic<int> refused_ = 0;
  std::thread thread_;
};

}  // namespace idv
