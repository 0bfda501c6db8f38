#include "tests/e2e/http2_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <utility>

#include "tests/chaos/http2.h"

namespace idv::e2e {
namespace {

namespace http2 = chaos::http2;

int SelectHttp2(SSL*, const unsigned char** chosen, unsigned char* chosen_bytes,
                const unsigned char* offered, unsigned offered_bytes, void*) {
  static constexpr std::array<unsigned char, 3> kHttp2 = {2, 'h', '2'};
  unsigned char* found = nullptr;
  const int result = SSL_select_next_proto(&found, chosen_bytes, kHttp2.data(), kHttp2.size(),
                                           offered, offered_bytes);
  *chosen = found;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

SSL_CTX* MakeContext(const TestCertificates& certificates) {
  SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
  if (SSL_CTX_use_certificate_chain_file(context, certificates.cert_file().c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, certificates.key_file().c_str(), SSL_FILETYPE_PEM) !=
          1) {
    std::abort();
  }
  SSL_CTX_set_alpn_select_cb(context, &SelectHttp2, nullptr);
  return context;
}

// False when the peer has gone.
bool Read(SSL* tls, size_t count, std::string& bytes) {
  bytes.resize(count);
  for (size_t got = 0; got < count;) {
    const int now = SSL_read(tls, bytes.data() + got, static_cast<int>(count - got));
    if (now <= 0) return false;
    got += static_cast<size_t>(now);
  }
  return true;
}

bool Write(SSL* tls, const std::string& bytes) {
  return bytes.empty() || SSL_write(tls, bytes.data(), static_cast<int>(bytes.size())) > 0;
}

uint32_t ToUint(const std::string& bytes, size_t at, size_t count) {
  uint32_t value = 0;
  for (size_t i = 0; i < count; ++i) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

struct Frame {
  http2::Type type;
  uint8_t flags = 0;
  uint32_t stream = 0;

  bool EndsRequest() const {
    const bool of_request = type == http2::Type::kHeaders || type == http2::Type::kData;
    return of_request && (flags & http2::kEndStream) != 0;
  }
};

bool ReadFrame(SSL* tls, Frame& frame) {
  std::string head;
  std::string payload;
  if (!Read(tls, 9, head) || !Read(tls, ToUint(head, 0, 3), payload)) return false;
  frame.type = static_cast<http2::Type>(head[3]);
  frame.flags = static_cast<uint8_t>(head[4]);
  frame.stream = ToUint(head, 5, 4);
  return true;
}

}  // namespace

Http2Server::Http2Server(const TestCertificates& certificates, Handler handler)
    : handler_(std::move(handler)),
      context_(MakeContext(certificates), &SSL_CTX_free),
      listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
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

Http2Server::~Http2Server() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const int socket : sockets_) shutdown(socket, SHUT_RDWR);
  }
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  for (std::thread& thread : threads_) thread.join();
  for (const int socket : sockets_) close(socket);
  close(listener_);
}

void Http2Server::Accept() {
  for (;;) {
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    const std::lock_guard lock(mutex_);
    sockets_.push_back(socket);
    if (stopping_) return;
    threads_.emplace_back([this, socket] { Serve(socket); });
  }
}

void Http2Server::Serve(int socket) {
  // OpenSSL writes without asking to be spared it.
  sigset_t broken_pipe;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
  const std::unique_ptr<SSL, decltype(&SSL_free)> tls(SSL_new(context_.get()), &SSL_free);
  SSL_set_fd(tls.get(), socket);
  if (SSL_accept(tls.get()) == 1) Talk(tls.get());
  shutdown(socket, SHUT_RDWR);
}

void Http2Server::Talk(SSL* tls) {
  std::string preface;
  if (!Write(tls, http2::Settings()) || !Read(tls, http2::kPreface.size(), preface)) return;
  for (Frame frame; ReadFrame(tls, frame);) {
    if (frame.type == http2::Type::kSettings && (frame.flags & http2::kAck) == 0 &&
        !Write(tls, http2::Frame(http2::Type::kSettings, http2::kAck, 0))) {
      return;
    }
    if (!frame.EndsRequest()) continue;
    ++requests_;
    const Reply reply = handler_(frame.stream);
    if (!Write(tls, reply.frames) || reply.close) return;
  }
}

}  // namespace idv::e2e
