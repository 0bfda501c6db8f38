#include "tests/upstream/manual_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <sstream>

namespace idv {
namespace {

constexpr char kContentLength[] = "Content-Length: ";

}  // namespace

// All of it protected by the server's mutex.
struct ManualServer::Connection {
  int fd = -1;  // negative once it is closed
  std::string received;
  std::string target;  // of the request whose body is coming
  bool in_body = false;
  uint64_t body_left = 0;
  bool reading = true;
};

std::string ManualServer::Http(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) +
         " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

ManualServer::ManualServer(HandOver hand_over)
    : hand_over_(hand_over),
      listener_(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)),
      epoll_(epoll_create1(0)),
      stop_(eventfd(0, EFD_NONBLOCK)) {
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
  for (const int fd : {listener_, stop_}) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }
  thread_ = std::thread([this] { Run(); });
}

ManualServer::~ManualServer() {
  eventfd_write(stop_, 1);
  thread_.join();
  for (const auto& [fd, connection] : open_) close(fd);
  for (const int fd : {listener_, epoll_, stop_}) close(fd);
}

std::unique_ptr<ManualServer::Exchange> ManualServer::Next(const std::string& target,
                                                           std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  const auto find = [&] { return target.empty() ? waiting_.begin() : waiting_.find(target); };
  come_.wait_for(lock, patience, [&] { return find() != waiting_.end(); });
  const auto place = find();
  if (place == waiting_.end()) return nullptr;
  auto exchange = std::make_unique<Exchange>(*this, place->second.front(), place->first);
  place->second.pop_front();
  if (place->second.empty()) waiting_.erase(place);
  return exchange;
}

int ManualServer::open() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(open_.size());
}

int ManualServer::accepted() const {
  const std::lock_guard lock(mutex_);
  return accepted_;
}

int ManualServer::hung_up_on() const {
  const std::lock_guard lock(mutex_);
  return hung_up_on_;
}

void ManualServer::Run() {
  std::array<epoll_event, 64> events;
  for (;;) {
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<size_t>(i)].data.fd;
      if (fd == stop_) return;
      const std::lock_guard lock(mutex_);
      if (fd == listener_) {
        Accept();
      } else if (const auto place = open_.find(fd); place != open_.end()) {
        const std::shared_ptr<Connection> connection = place->second;
        Receive(*connection);
      }
    }
  }
}

void ManualServer::Accept() {
  for (int fd = 0; (fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
    auto connection = std::make_shared<Connection>();
    connection->fd = fd;
    open_[fd] = std::move(connection);
    ++accepted_;
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }
}

void ManualServer::Receive(Connection& connection) {
  std::array<char, 65536> chunk;
  const ssize_t got = recv(connection.fd, chunk.data(), chunk.size(), 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    ++hung_up_on_;
    return Close(connection);
  }
  connection.received.append(chunk.data(), static_cast<size_t>(got));
  TakeRequests(connection);
}

void ManualServer::TakeRequests(Connection& connection) {
  std::string& received = connection.received;
  const auto hand_over = [&] {
    const std::shared_ptr<Connection>& shared = open_.at(connection.fd);
    waiting_[connection.target].push_back(shared);
    come_.notify_all();
  };
  for (;;) {
    if (connection.in_body) {
      const uint64_t here = std::min<uint64_t>(connection.body_left, received.size());
      received.erase(0, here);
      connection.body_left -= here;
      if (connection.body_left > 0) return;
      connection.in_body = false;
      if (hand_over_ == HandOver::kWhole) hand_over();
    }
    const size_t head_end = received.find("\r\n\r\n");
    if (head_end == std::string::npos) return;
    const std::string head = received.substr(0, head_end + 2);
    received.erase(0, head_end + 4);
    std::string verb;
    std::istringstream(head) >> verb >> connection.target;
    const size_t length = head.find(kContentLength);
    connection.in_body = true;
    connection.body_left =
        length == std::string::npos
            ? 0
            : std::strtoull(head.c_str() + length + sizeof kContentLength - 1, nullptr, 10);
    if (hand_over_ == HandOver::kHead) {
      connection.reading = false;
      Watch(connection, 0);
      return hand_over();
    }
  }
}

void ManualServer::Watch(const Connection& connection, uint32_t events) const {
  epoll_event event{.events = events, .data = {.fd = connection.fd}};
  epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.fd, &event);
}

void ManualServer::Answer(Connection& connection, const std::string& bytes) {
  const std::lock_guard lock(mutex_);
  if (connection.fd < 0) return;
  // Short enough for the socket's buffer.
  static_cast<void>(send(connection.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL));
}

void ManualServer::HangUp(Connection& connection) {
  const std::lock_guard lock(mutex_);
  if (connection.fd >= 0) Close(connection);
}

bool ManualServer::IsOpen(const Connection& connection) const {
  const std::lock_guard lock(mutex_);
  return connection.fd >= 0;
}

void ManualServer::ReadOn(Connection& connection) {
  const std::lock_guard lock(mutex_);
  if (connection.fd < 0 || connection.reading) return;
  connection.reading = true;
  Watch(connection, EPOLLIN);
  TakeRequests(connection);
}

void ManualServer::Close(Connection& connection) {
  close(connection.fd);
  open_.erase(connection.fd);
  connection.fd = -1;
}

}  // namespace idv
