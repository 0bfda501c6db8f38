#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace idv::e2e {

// Stands between a client and a server on this machine and hands on what both send, the server's
// bytes as slowly as a test wants. Thread-safe; a thread a connection.
class Relay {
 public:
  explicit Relay(int server_port);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  int port() const { return port_; }
  // Connections so far.
  int accepted() const { return accepted_; }

  // For connections from now on: the time that each byte takes.
  void Slow(std::chrono::microseconds per_byte) { per_byte_us_ = per_byte.count(); }
  // The client is not answered at all.
  void Stall() { per_byte_us_ = kStalled; }
  void Pass() { per_byte_us_ = 0; }

 private:
  static constexpr int64_t kStalled = -1;

  void Accept();
  void HandOn(int client, int64_t per_byte_us);
  // For the end; false when it has come already.
  bool Remember(int socket);

  const int server_port_;
  const int listener_;
  int port_ = 0;
  std::atomic<int> accepted_ = 0;
  std::atomic<int64_t> per_byte_us_ = 0;

  std::mutex mutex_;
  std::vector<int> sockets_;  // protected by mutex_
  bool stopping_ = false;     // protected by mutex_

  std::vector<std::thread> connections_;  // of the accepting thread
  std::thread acceptor_;
};

}  // namespace idv::e2e
