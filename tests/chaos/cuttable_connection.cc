#include "tests/chaos/cuttable_connection.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grpcpp/create_channel_posix.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace idv::chaos {
namespace {

int ConnectTo(const std::string& address) {
  const size_t colon = address.rfind(':');
  sockaddr_in peer{};
  peer.sin_family = AF_INET;
  peer.sin_port = htons(static_cast<uint16_t>(std::stoi(address.substr(colon + 1))));
  EXPECT_EQ(inet_pton(AF_INET, address.substr(0, colon).c_str(), &peer.sin_addr), 1) << address;
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&peer), sizeof peer), 0) << address;
  EXPECT_EQ(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
  return fd;
}

}  // namespace

CuttableConnection::CuttableConnection(const std::string& address)
    : socket_(ConnectTo(address)),
      channel_(grpc::CreateInsecureChannelFromFd(address, fcntl(socket_, F_DUPFD_CLOEXEC, 0))) {}

CuttableConnection::~CuttableConnection() { close(socket_); }

void CuttableConnection::Cut(End end) {
  *cut_ = true;
  if (end == End::kFin) {
    shutdown(socket_, SHUT_RDWR);
    return;
  }
  // To connect to nowhere ends the connection there was, with RST.
  sockaddr nowhere{};
  nowhere.sa_family = AF_UNSPEC;
  const linger at_once{1, 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  EXPECT_EQ(connect(socket_, &nowhere, sizeof nowhere), 0);
}

}  // namespace idv::chaos
