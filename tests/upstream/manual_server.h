#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace idv {

// An HTTP/1.1 server on a free loopback port whose answers a test writes itself, at the moment and
// on the thread it chooses. Thread-safe.
class ManualServer {
 private:
  struct Connection;

 public:
  // When a request is handed to the test.
  enum class HandOver {
    kWhole,  // with its body, which is thrown away
    kHead,   // before its body, which is not read until the exchange ends: an upload gets stuck
  };

  // A request that waits for what the test makes of it. To drop it is to leave it without an
  // answer.
  class Exchange {
   public:
    Exchange(ManualServer& server, std::shared_ptr<Connection> connection, std::string target)
        : server_(server), connection_(std::move(connection)), target_(std::move(target)) {}
    ~Exchange() { server_.ReadOn(*connection_); }
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;

    const std::string& target() const { return target_; }

    // Sends `bytes` as they are, unless the client has gone.
    void Answer(const std::string& bytes) { server_.Answer(*connection_, bytes); }
    void HangUp() { server_.HangUp(*connection_); }
    // Whether the connection is still there.
    bool open() const { return server_.IsOpen(*connection_); }

   private:
    ManualServer& server_;
    const std::shared_ptr<Connection> connection_;
    const std::string target_;
  };

  explicit ManualServer(HandOver hand_over = HandOver::kWhole);
  // Hangs up on everybody. No exchange may be left.
  ~ManualServer();
  ManualServer(const ManualServer&) = delete;
  ManualServer& operator=(const ManualServer&) = delete;

  // "http://127.0.0.1:PORT"
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

  // The next request for `target` (path and query), or for any if that is empty; null when none
  // comes in `patience`.
  std::unique_ptr<Exchange> Next(const std::string& target, std::chrono::milliseconds patience);

  // Connections that are open, that there ever were, and that the client closed.
  int open() const;
  int accepted() const;
  int hung_up_on() const;

  // The bytes of a response with a body.
  static std::string Http(int status, const std::string& body);

 private:
  void Run();
  void Accept();
  void Receive(Connection& connection);
  void TakeRequests(Connection& connection);
  void Watch(const Connection& connection, uint32_t events) const;

  void Answer(Connection& connection, const std::string& bytes);
  void HangUp(Connection& connection);
  bool IsOpen(const Connection& connection) const;
  void ReadOn(Connection& connection);
  void Close(Connection& connection);

  const HandOver hand_over_;
  const int listener_;
  const int epoll_;
  const int stop_;
  int port_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable come_;
  std::map<int, std::shared_ptr<Connection>> open_;                         // protected by mutex_
  std::map<std::string, std::deque<std::shared_ptr<Connection>>> waiting_;  // protected by mutex_
  int accepted_ = 0;                                                        // protected by mutex_
  int hung_up_on_ = 0;                                                      // protected by mutex_

  std::thread thread_;
};

}  // namespace idv
