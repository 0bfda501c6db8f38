#include "tests/e2e/relay.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>

namespace idv::e2e {
namespace {

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

// Takes what there is, at most `most` bytes, to the other side; false when one of them has gone.
bool Copy(int from, int to, size_t most) {
  std::array<char, 16'384> bytes;
  const ssize_t got = recv(from, bytes.data(), std::min(most, bytes.size()), 0);
  return got > 0 && send(to, bytes.data(), static_cast<size_t>(got), MSG_NOSIGNAL) == got;
}

}  // namespace

Relay::Relay(int server_port)
    : server_port_(server_port), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener_, 1024) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    std::abort();
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

Relay::~Relay() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const int socket : sockets_) shutdown(socket, SHUT_RDWR);
  }
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  for (std::thread& connection : connections_) connection.join();
  for (const int socket : sockets_) close(socket);
  close(listener_);
}

bool Relay::Remember(int socket) {
  const std::lock_guard lock(mutex_);
  sockets_.push_back(socket);
  return !stopping_;
}

void Relay::Accept() {
  for (;;) {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    if (!Remember(client)) return;
    const int64_t per_byte_us = per_byte_us_;
    connections_.emplace_back([this, client, per_byte_us] { HandOn(client, per_byte_us); });
    ++accepted_;
  }
}

void Relay::HandOn(int client, int64_t per_byte_us) {
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(server_port_);
  const bool connected =
      connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  if (!Remember(server)) return;
  std::array<pollfd, 2> sides = {
      pollfd{.fd = client, .events = POLLIN, .revents = 0},
      pollfd{.fd = per_byte_us == kStalled ? -1 : server, .events = POLLIN, .revents = 0}};
  const size_t at_once = per_byte_us > 0 ? 1 : SIZE_MAX;
  bool open = connected;
  while (open) {
    poll(sides.data(), sides.size(), -1);
    if (sides[0].revents != 0) open = Copy(client, server, SIZE_MAX);
    if (open && sides[1].revents != 0) {
      std::this_thread::sleep_for(std::chrono::microseconds(per_byte_us));
      open = Copy(server, client, at_once);
    }
  }
  shutdown(client, SHUT_RDWR);
  shutdown(server, SHUT_RDWR);
}

}  // namespace idv::e2e
