#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace idv {

// A plain HTTP/1.1 server on a free loopback port whose every byte a test decides. Blocking
// sockets, a thread a connection.
class StubServer {
 public:
  struct Request {
    std::string verb;
    std::string target;
    std::map<std::string, std::string> headers;  // by lower-case name
    std::string body;
    int connection = 0;            // counted from 0
    int number_on_connection = 0;  // the same
  };

  struct Reply {
    // Sent as it is; see Http().
    std::string bytes;
    bool close = false;
    // Then waits until the client has gone.
    bool hang = false;
  };

  using Handler = std::function<Reply(const Request& request)>;

  // The bytes of a response with a body and further header lines ("Name: value\r\n").
  static Reply Http(int status, const std::string& body, const std::string& headers = "");

  explicit StubServer(Handler handler);
  ~StubServer();
  StubServer(const StubServer&) = delete;
  StubServer& operator=(const StubServer&) = delete;

  // "http://127.0.0.1:PORT"
  std::string url() const;
  int port() const { return port_; }
  std::vector<Request> requests() const;
  size_t open_connections() const;
  // Connections that the client closed while it was left hanging.
  int hang_ups() const { return hang_ups_; }

 private:
  void Accept();
  void Serve(int fd, int connection);

  const Handler handler_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> hang_ups_ = 0;

  mutable std::mutex mutex_;
  std::vector<Request> requests_;  // protected by mutex_
  std::list<int> open_;            // protected by mutex_
  bool stopping_ = false;          // protected by mutex_

  std::vector<std::thread> connections_;  // of the accepting thread
  std::thread acceptor_;
};

}  // namespace idv
