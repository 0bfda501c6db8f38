#include "tests/chaos/raw_connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "tests/chaos/http2.h"

namespace idv::chaos {
namespace {

using http2::Type;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr size_t kFrameHeadBytes = 9;

sockaddr_in Loopback(int host, int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(0x7f000000U + static_cast<uint32_t>(host));
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

template <typename Address>
void BeginToConnect(int fd, const Address& address) {
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
      errno != EINPROGRESS) {
    std::abort();
  }
}

int OpenUnix(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  BeginToConnect(fd, address);
  return fd;
}

int OpenTcp(const std::string& address, int host) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  // The port is chosen with the server's address in view, not for every server at once.
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const sockaddr_in own = Loopback(host, 0);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0) std::abort();
  BeginToConnect(fd, Loopback(1, std::stoi(address.substr(address.rfind(':') + 1))));
  return fd;
}

// "127.0.0.1:PORT" or "unix:PATH".
int Open(const std::string& address, int host) {
  constexpr std::string_view kUnix = "unix:";
  return address.rfind(kUnix, 0) == 0 ? OpenUnix(address.substr(kUnix.size()))
                                      : OpenTcp(address, host);
}

uint32_t ReadUint32(std::string_view bytes) {
  uint32_t value = 0;
  for (const char byte : bytes.substr(0, 4)) value = value << 8 | static_cast<uint8_t>(byte);
  return value;
}

// Waits until the socket can do one of `events`, or the time has come.
void Poll(int fd, short events, steady_clock::time_point end) {
  const auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now());
  pollfd polled{fd, events, 0};
  poll(&polled, 1, static_cast<int>(std::max<int64_t>(left.count(), 0)));
}

nghttp2_hd_inflater* NewInflater() {
  nghttp2_hd_inflater* inflater = nullptr;
  if (nghttp2_hd_inflate_new(&inflater) != 0) std::abort();
  return inflater;
}

}  // namespace

std::string Heard::Ending() const {
  std::string ending;
  const auto add = [&](const std::string& what) { ending += (ending.empty() ? "" : ", ") + what; };
  for (const std::string& status : http_statuses) add("HTTP " + status);
  for (const std::string& status : grpc_statuses) add("grpc-status " + status);
  for (const uint32_t code : resets) add("RST_STREAM " + http2::NameOfError(code));
  if (goaway) add("GOAWAY " + http2::NameOfError(*goaway));
  if (closed) add("closed");
  return ending.empty() ? "open" : ending;
}

bool Heard::IsStandard() const {
  constexpr int kLastStatus = 16;
  return (!goaway || http2::IsStandardError(*goaway)) &&
         std::all_of(resets.begin(), resets.end(), http2::IsStandardError) &&
         std::all_of(grpc_statuses.begin(), grpc_statuses.end(),
                     [](const std::string& status) { return std::stoi(status) <= kLastStatus; });
}

RawConnection::RawConnection(const std::string& address, int host)
    : fd_(Open(address, host)), inflater_(NewInflater(), nghttp2_hd_inflate_del) {}

RawConnection::~RawConnection() { close(fd_); }

void RawConnection::Greet() {
  acknowledges_ = true;
  Send(http2::Greeting());
  ReadUntil([](const Heard& heard) { return heard.settings; });
  RoundTrip();
}

bool RawConnection::RoundTrip() {
  const size_t pongs = heard_.pongs;
  Send(http2::Frame(Type::kPing, 0, 0, "whatever"));
  return ReadUntil([&](const Heard& heard) { return heard.pongs > pongs; }) && !heard_.closed;
}

bool RawConnection::Send(std::string_view bytes, milliseconds limit) {
  return Transmit(bytes, /*reads=*/true, limit);
}

bool RawConnection::SendDeaf(std::string_view bytes, milliseconds limit) {
  return Transmit(bytes, /*reads=*/false, limit);
}

bool RawConnection::Transmit(std::string_view bytes, bool reads, milliseconds limit) {
  const auto end = steady_clock::now() + limit;
  while (!bytes.empty() && !heard_.closed && steady_clock::now() < end) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
    } else if (errno == EAGAIN) {
      Poll(fd_, static_cast<short>(POLLOUT | (reads ? POLLIN : 0)), end);
    } else {
      heard_.closed = true;
    }
    if (reads) Read();
  }
  return bytes.empty();
}

size_t RawConnection::SendData(uint32_t stream, std::string_view bytes) {
  constexpr size_t kMaxFrameBytes = 16'384;
  size_t total = 0;
  while (!bytes.empty() && !heard_.closed) {
    Read();
    int64_t& window = windows_[stream];
    const int64_t allowed = std::min(initial_window_ + window, connection_window_);
    if (allowed <= 0) break;
    const size_t size = std::min({bytes.size(), kMaxFrameBytes, static_cast<size_t>(allowed)});
    if (!Send(http2::Frame(Type::kData, 0, stream, bytes.substr(0, size)))) break;
    window -= static_cast<int64_t>(size);
    connection_window_ -= static_cast<int64_t>(size);
    bytes.remove_prefix(size);
    total += size;
  }
  return total;
}

void RawConnection::SendBlindly(std::string_view bytes) {
  (void)send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

void RawConnection::Read() {
  std::array<char, 65'536> chunk{};
  while (!heard_.closed) {
    const ssize_t got = recv(fd_, chunk.data(), chunk.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == ENOTCONN)) break;
    if (got <= 0) {
      heard_.closed = true;
      break;
    }
    received_.append(chunk.data(), static_cast<size_t>(got));
  }
  std::string_view rest = received_;
  while (rest.size() >= kFrameHeadBytes) {
    const size_t payload_bytes = ReadUint32(rest) >> 8;
    if (rest.size() < kFrameHeadBytes + payload_bytes) break;
    OnFrame(rest.substr(0, kFrameHeadBytes), rest.substr(kFrameHeadBytes, payload_bytes));
    rest.remove_prefix(kFrameHeadBytes + payload_bytes);
  }
  received_.erase(0, received_.size() - rest.size());
}

bool RawConnection::ReadUntil(const std::function<bool(const Heard&)>& enough, milliseconds limit) {
  const auto end = steady_clock::now() + limit;
  for (Read(); !enough(heard_) && !heard_.closed; Read()) {
    if (steady_clock::now() > end) return false;
    Poll(fd_, POLLIN, end);
  }
  return true;
}

bool RawConnection::AwaitEnding(milliseconds limit) {
  return ReadUntil(
      [](const Heard& heard) {
        return heard.goaway || !heard.resets.empty() || !heard.grpc_statuses.empty() ||
               !heard.http_statuses.empty();
      },
      limit);
}

void RawConnection::OnFrame(std::string_view head, std::string_view payload) {
  const auto flags = static_cast<uint8_t>(head[4]);
  const uint32_t stream = ReadUint32(head.substr(5));
  switch (static_cast<Type>(head[3])) {
    case Type::kSettings:
      if ((flags & http2::kAck) == 0) OnSettings(payload);
      break;
    case Type::kWindowUpdate:
      (stream == 0 ? connection_window_ : windows_[stream]) += ReadUint32(payload);
      break;
    case Type::kPing:
      if ((flags & http2::kAck) != 0) {
        ++heard_.pongs;
      } else {
        Acknowledge(Type::kPing, payload);
      }
      break;
    case Type::kRstStream:
      heard_.resets.insert(ReadUint32(payload));
      break;
    case Type::kGoaway:
      heard_.goaway = ReadUint32(payload.substr(4));
      break;
    case Type::kHeaders:
    case Type::kContinuation:
      block_.append(payload);
      if ((flags & http2::kEndHeaders) != 0) Inflate(std::exchange(block_, ""));
      break;
    default:
      break;
  }
}

void RawConnection::OnSettings(std::string_view payload) {
  constexpr size_t kEntryBytes = 6;
  constexpr uint32_t kInitialWindowSize = 4;
  heard_.settings = true;
  for (; payload.size() >= kEntryBytes; payload.remove_prefix(kEntryBytes)) {
    if (ReadUint32(payload) >> 16 != kInitialWindowSize) continue;
    initial_window_ = ReadUint32(payload.substr(2));
  }
  Acknowledge(Type::kSettings, "");
}

void RawConnection::Acknowledge(http2::Type type, std::string_view payload) {
  if (acknowledges_) SendBlindly(http2::Frame(type, http2::kAck, 0, payload));
}

void RawConnection::Inflate(std::string_view block) {
  const auto* at = reinterpret_cast<const uint8_t*>(block.data());
  size_t left = block.size();
  while (true) {
    nghttp2_nv field{};
    int flags = 0;
    const ssize_t used = nghttp2_hd_inflate_hd2(inflater_.get(), &field, &flags, at, left, 1);
    if (used < 0) break;
    at += used;
    left -= static_cast<size_t>(used);
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
      OnField({reinterpret_cast<const char*>(field.name), field.namelen},
              {reinterpret_cast<const char*>(field.value), field.valuelen});
    } else if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0 || left == 0) {
      break;
    }
  }
  nghttp2_hd_inflate_end_headers(inflater_.get());
}

void RawConnection::OnField(std::string_view name, std::string_view value) {
  if (name == ":status" && value != "200") heard_.http_statuses.emplace(value);
  if (name == "grpc-status") heard_.grpc_statuses.emplace(value);
}

}  // namespace idv::chaos
