#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace idv {

// Two connected sockets that do not block.
struct SocketPair {
  SocketPair() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds.data()), 0); }
  ~SocketPair() {
    for (const int fd : fds) close(fd);
  }
  SocketPair(const SocketPair&) = delete;
  SocketPair& operator=(const SocketPair&) = delete;

  // One byte for the first socket, unless nobody has read there for so long that it has no room.
  void Write() const { EXPECT_TRUE(write(fds[1], "x", 1) == 1 || errno == EAGAIN); }
  // How many bytes had come.
  static int Read(int fd) {
    std::array<char, 64> buffer{};
    return static_cast<int>(std::max<ssize_t>(read(fd, buffer.data(), buffer.size()), 0));
  }

  std::array<int, 2> fds{};
};

}  // namespace idv
