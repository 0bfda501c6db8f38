// A stand-in for the vendor that costs as little as can be, so that what is measured is in front of
// it: one thread answers every GET of a verification with the same bytes, and counts. It takes
// requests without a body, on kept connections, one at a time on each.
//
//   idv_bench_upstream      prints "listening on HOST:PORT"; GET /count answers how many were
//   served

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <unordered_map>

#include "tests/bench/sample.h"

namespace {

[[noreturn]] void Die(const char* what) {
  std::perror(what);
  std::exit(1);
}

std::string Response(std::string_view status, std::string_view body) {
  std::string response = "HTTP/1.1 ";
  response.append(status)
      .append("\r\nContent-Type: application/json\r\nX-RateLimit-Limit: 1000000000\r\n")
      .append(
          "X-RateLimit-Remaining: 999999999\r\nX-RateLimit-Reset: 1767323105\r\nContent-Length: ")
      .append(std::to_string(body.size()))
      .append("\r\n\r\n")
      .append(body);
  return response;
}

class FastUpstream {
 public:
  FastUpstream() : verification_(Response("200 OK", std::string(idv::bench::kVerificationJson))) {}

  // Returns the port.
  int Listen();
  [[noreturn]] void Run();

 private:
  void Accept();
  void Receive(int connection);
  // False: the connection is to be closed.
  bool Answer(int connection, std::string_view request);
  void Watch(int descriptor) const;

  const std::string verification_;
  const std::string wanted_ =
      std::string("GET ") + idv::bench::kApiPath + idv::bench::kVerificationsPath;
  int listener_ = -1;
  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  uint64_t count_ = 0;
  // Requests of which only a part has come, by connection.
  std::unordered_map<int, std::string> parts_;
};

void FastUpstream::Watch(int descriptor) const {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = descriptor;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) != 0) Die("epoll_ctl");
}

int FastUpstream::Listen() {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener_, generic, size) != 0 || listen(listener_, SOMAXCONN) != 0 ||
      getsockname(listener_, generic, &size) != 0) {
    Die("listen");
  }
  Watch(listener_);
  return ntohs(address.sin_port);
}

void FastUpstream::Run() {
  for (;;) {
    std::array<epoll_event, 64> events;
    const int ready = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
      const int descriptor = events[static_cast<size_t>(i)].data.fd;
      descriptor == listener_ ? Accept() : Receive(descriptor);
    }
  }
}

void FastUpstream::Accept() {
  const int connection = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (connection < 0) return;
  const int on = 1;
  setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  Watch(connection);
}

void FastUpstream::Receive(int connection) {
  std::array<char, 8192> buffer;
  const ssize_t size = recv(connection, buffer.data(), buffer.size(), 0);
  bool keep = size > 0;
  if (keep) {
    const std::string_view bytes(buffer.data(), static_cast<size_t>(size));
    const auto part = parts_.find(connection);
    if (part == parts_.end() && bytes.ends_with("\r\n\r\n")) {
      keep = Answer(connection, bytes);
    } else {
      std::string& request = parts_[connection].append(bytes);
      if (request.ends_with("\r\n\r\n")) {
        keep = Answer(connection, request);
        parts_.erase(connection);
      }
    }
  }
  if (keep) return;
  parts_.erase(connection);
  close(connection);
}

bool FastUpstream::Answer(int connection, std::string_view request) {
  std::string other;
  const bool served = request.starts_with(wanted_);
  if (served) {
    ++count_;
  } else if (request.starts_with("GET /count ")) {
    other = Response("200 OK", std::to_string(count_));
  } else {
    other = Response("404 Not Found", R"({"code":"NOT_FOUND","error":"only verifications"})");
  }
  const std::string& response = served ? verification_ : other;
  // The socket's buffer takes it whole, as the client has read the answer before.
  return send(connection, response.data(), response.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(response.size());
}

}  // namespace

int main() {
  FastUpstream upstream;
  const int port = upstream.Listen();
  std::cout << "listening on 127.0.0.1:" << port << std::endl;
  upstream.Run();
}
