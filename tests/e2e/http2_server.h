#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/upstream/certificates.h"

namespace idv::e2e {

// A server on a free loopback port that speaks HTTP/2 over TLS, and whose frames in answer to a
// request a test writes itself. It understands of a request only where it ends. A thread a
// connection.
class Http2Server {
 public:
  struct Reply {
    std::string frames;
    bool close = false;
  };
  // Asked from the connections' threads, for each request by the id of its stream.
  using Handler = std::function<Reply(uint32_t stream)>;

  Http2Server(const TestCertificates& certificates, Handler handler);
  ~Http2Server();
  Http2Server(const Http2Server&) = delete;
  Http2Server& operator=(const Http2Server&) = delete;

  int port() const { return port_; }
  // So far.
  int requests() const { return requests_; }

 private:
  void Accept();
  void Serve(int socket);
  void Talk(SSL* tls);

  const Handler handler_;
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  const int listener_;
  int port_ = 0;
  std::atomic<int> requests_ = 0;

  std::mutex mutex_;
  std::vector<int> sockets_;  // protected by mutex_
  bool stopping_ = false;     // protected by mutex_

  std::vector<std::thread> threads_;  // of the accepting thread
  std::thread acceptor_;
};

}  // namespace idv::e2e
