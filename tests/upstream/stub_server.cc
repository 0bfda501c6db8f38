#include "tests/upstream/stub_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <sstream>
#include <utility>

namespace idv {
namespace {

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// Receives more into `buffer`; false when the peer has gone.
bool Receive(int fd, std::string& buffer) {
  std::array<char, 65536> chunk{};
  const ssize_t got = recv(fd, chunk.data(), chunk.size(), 0);
  if (got <= 0) return false;
  buffer.append(chunk.data(), static_cast<size_t>(got));
  return true;
}

void SendAll(int fd, const std::string& bytes) {
  size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t count = send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) return;
    sent += static_cast<size_t>(count);
  }
}

// Takes one request with a Content-Length off the front of what comes in.
bool ReadRequest(int fd, std::string& buffer, StubServer::Request& request) {
  size_t head_end = std::string::npos;
  while ((head_end = buffer.find("\r\n\r\n")) == std::string::npos) {
    if (!Receive(fd, buffer)) return false;
  }
  std::istringstream head(buffer.substr(0, head_end));
  std::string line;
  std::getline(head, line);
  std::istringstream(line) >> request.verb >> request.target;
  while (std::getline(head, line)) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    const size_t colon = line.find(": ");
    if (colon != std::string::npos) {
      request.headers[Lower(line.substr(0, colon))] = line.substr(colon + 2);
    }
  }
  const auto length = request.headers.find("content-length");
  const size_t body_bytes =
      length == request.headers.end() ? 0 : std::strtoul(length->second.c_str(), nullptr, 10);
  buffer.erase(0, head_end + 4);
  while (buffer.size() < body_bytes) {
    if (!Receive(fd, buffer)) return false;
  }
  request.body = buffer.substr(0, body_bytes);
  buffer.erase(0, body_bytes);
  return true;
}

}  // namespace

StubServer::Reply StubServer::Http(int status, const std::string& body,
                                   const std::string& headers) {
  return {.bytes = "HTTP/1.1 " + std::to_string(status) + " X\r\n" + headers +
                   "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body};
}

StubServer::StubServer(Handler handler) : handler_(std::move(handler)) {
  listener_ = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener_, 1024) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    std::abort();
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

StubServer::~StubServer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const int fd : open_) shutdown(fd, SHUT_RDWR);
  }
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  for (std::thread& connection : connections_) connection.join();
  close(listener_);
}

std::string StubServer::url() const { return "http://127.0.0.1:" + std::to_string(port_); }

std::vector<StubServer::Request> StubServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

size_t StubServer::open_connections() const {
  const std::lock_guard lock(mutex_);
  return open_.size();
}

void StubServer::Accept() {
  for (int connection = 0;; ++connection) {
    const int fd = accept(listener_, nullptr, nullptr);
    if (fd < 0) return;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) {
        close(fd);
        return;
      }
      open_.push_back(fd);
    }
    connections_.emplace_back([this, fd, connection] { Serve(fd, connection); });
  }
}

void StubServer::Serve(int fd, int connection) {
  std::string buffer;
  for (int number = 0;; ++number) {
    Request request;
    request.connection = connection;
    request.number_on_connection = number;
    if (!ReadRequest(fd, buffer, request)) break;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    const Reply reply = handler_(request);
    SendAll(fd, reply.bytes);
    if (reply.hang) {
      while (Receive(fd, buffer)) {
      }
      ++hang_ups_;
    }
    if (reply.hang || reply.close) break;
  }
  const std::lock_guard lock(mutex_);
  open_.remove(fd);
  close(fd);
}

}  // namespace idv
