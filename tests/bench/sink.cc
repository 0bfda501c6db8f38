// A stand-in for the vendor that takes pictures at the least cost: one thread reads the bodies of
// POSTs, with a Content-Length or in chunks, into one buffer over and over, looks for nothing but
// their ends, and answers {}. On kept connections, one request at a time on each, for libcurl's
// spelling of headers.
//
//   idv_bench_sink      prints "listening on HOST:PORT"
//
// GET /count answers how many requests came whole, GET /bytes how long their bodies were together,
// and GET /hold/N has it read no body before the heads of N requests have come.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace {

constexpr std::string_view kEndOfHead = "\r\n\r\n";
constexpr std::string_view kHoldPath = "GET /hold/";
// So much is read for a head, so that hardly any of a body that is to be held is read with it.
constexpr size_t kHeadBytes = 1 << 10;

[[noreturn]] void Die(const char* what) {
  std::perror(what);
  std::exit(1);
}

std::string Response(std::string_view body) {
  std::string response = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ";
  return response.append(std::to_string(body.size())).append(kEndOfHead).append(body);
}

uint64_t NumberAfter(std::string_view name, std::string_view text) {
  const size_t at = text.find(name);
  if (at == std::string_view::npos) return 0;
  return std::strtoull(std::string(text.substr(at + name.size(), 20)).c_str(), nullptr, 10);
}

// The body of one request, of which only the end is looked for.
class Body {
 public:
  explicit Body(std::string_view head)
      : is_chunked_(head.find("\r\nTransfer-Encoding: chunked\r\n") != std::string_view::npos),
        left_(is_chunked_ ? 0 : NumberAfter("\r\nContent-Length: ", head)),
        size_(left_) {}

  // Takes what came next. True: that was the end of it.
  bool Skip(std::string_view bytes) {
    for (;;) {
      const size_t count = std::min<uint64_t>(left_, bytes.size());
      bytes.remove_prefix(count);
      left_ -= count;
      if (left_ > 0) return false;
      if (!is_chunked_) return true;
      if (!TakeLine(bytes)) return false;
      const std::string line = std::exchange(line_, {});
      if (has_last_chunk_ && line == "\r") return true;
      if (!has_last_chunk_) BeginChunk(std::strtoull(line.c_str(), nullptr, 16));
    }
  }

  // Without the marks of chunks.
  uint64_t size() const { return size_; }

 private:
  // False: its end has not come.
  bool TakeLine(std::string_view& bytes) {
    const size_t end = bytes.find('\n');
    line_.append(bytes.substr(0, end));
    if (end == std::string_view::npos) return false;
    bytes.remove_prefix(end + 1);
    return true;
  }

  void BeginChunk(uint64_t size) {
    has_last_chunk_ = size == 0;
    size_ += size;
    if (!has_last_chunk_) left_ = size + 2;  // and the line break behind it
  }

  const bool is_chunked_;
  uint64_t left_;  // of the body, or of a chunk
  uint64_t size_;
  std::string line_;
  bool has_last_chunk_ = false;
};

struct Connection {
  std::string head;
  std::optional<Body> body;  // once the head is there
};

class Sink {
 public:
  // Returns the port.
  int Listen();
  [[noreturn]] void Run();

 private:
  void Accept();
  void Receive(int descriptor);
  // False: the connection is to be closed.
  bool Take(int descriptor, Connection& connection, std::string_view bytes);
  bool TakeBody(int descriptor, Connection& connection, std::string_view bytes);
  bool Answer(int descriptor, Connection& connection, std::string_view text);
  std::string Tell(std::string_view head);
  void Hold(int descriptor);
  void Watch(int descriptor) const;

  int listener_ = -1;
  const int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  std::vector<char> buffer_ = std::vector<char>(size_t{256} << 10);
  std::unordered_map<int, Connection> connections_;
  uint64_t count_ = 0;
  uint64_t bytes_ = 0;
  uint64_t to_hold_ = 0;
  std::vector<int> held_;
};

void Sink::Watch(int descriptor) const {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = descriptor;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) != 0) Die("epoll_ctl");
}

int Sink::Listen() {
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

void Sink::Run() {
  for (;;) {
    std::array<epoll_event, 64> events;
    const int ready = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
      const int descriptor = events[static_cast<size_t>(i)].data.fd;
      descriptor == listener_ ? Accept() : Receive(descriptor);
    }
  }
}

void Sink::Accept() {
  const int descriptor = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (descriptor < 0) return;
  const int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  connections_[descriptor];
  Watch(descriptor);
}

void Sink::Receive(int descriptor) {
  Connection& connection = connections_[descriptor];
  const size_t most = connection.body ? buffer_.size() : kHeadBytes;
  const ssize_t size = recv(descriptor, buffer_.data(), most, 0);
  if (size < 0 && errno == EAGAIN) return;
  if (size > 0 && Take(descriptor, connection, {buffer_.data(), static_cast<size_t>(size)})) return;
  connections_.erase(descriptor);
  close(descriptor);
}

bool Sink::Take(int descriptor, Connection& connection, std::string_view bytes) {
  if (connection.body) return TakeBody(descriptor, connection, bytes);
  std::string& head = connection.head.append(bytes);
  const size_t end = head.find(kEndOfHead);
  if (end == std::string::npos) return true;
  if (!head.starts_with("POST ")) return Answer(descriptor, connection, Tell(head));
  // The end of the last line counts too.
  connection.body.emplace(std::string_view(head).substr(0, end + 2));
  if (to_hold_ > 0) Hold(descriptor);
  return TakeBody(descriptor, connection, std::string_view(head).substr(end + kEndOfHead.size()));
}

bool Sink::TakeBody(int descriptor, Connection& connection, std::string_view bytes) {
  if (!connection.body->Skip(bytes)) return true;
  ++count_;
  bytes_ += connection.body->size();
  return Answer(descriptor, connection, "{}");
}

bool Sink::Answer(int descriptor, Connection& connection, std::string_view text) {
  connection.head.clear();
  connection.body.reset();
  const std::string response = Response(text);
  // The socket's buffer takes it whole, as the client has read the answer before.
  return send(descriptor, response.data(), response.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(response.size());
}

std::string Sink::Tell(std::string_view head) {
  if (head.starts_with("GET /bytes ")) return std::to_string(bytes_);
  if (head.starts_with(kHoldPath)) {
    to_hold_ = NumberAfter(kHoldPath, head);
    return std::to_string(to_hold_);
  }
  return std::to_string(count_);
}

// Until there are enough of them.
void Sink::Hold(int descriptor) {
  held_.push_back(descriptor);
  epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr);
  if (held_.size() < to_hold_) return;
  for (const int one : held_) Watch(one);
  held_.clear();
  to_hold_ = 0;
}

}  // namespace

int main() {
  Sink sink;
  const int port = sink.Listen();
  std::cout << "listening on 127.0.0.1:" << port << std::endl;
  sink.Run();
}
