#include "gateway/listener.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/strip.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

namespace idv {
namespace {

// Connections that wait to be accepted; the kernel caps it at net.core.somaxconn.
constexpr int kBacklog = 4096;

absl::Status CannotListen(const std::string& address, absl::string_view why) {
  return absl::UnavailableError(absl::StrCat("cannot listen on ", address, ": ", why));
}

// `error`: an errno.
absl::Status CannotListen(const std::string& address, int error) {
  return CannotListen(address, strerrordesc_np(error));
}

bool SetOption(int fd, int level, int option, int value) {
  return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

using AddressList = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

// The addresses of "HOST:PORT"; null, with the reason in `error`, if there are none.
AddressList Resolve(absl::string_view address, int& error) {
  const size_t colon = address.rfind(':');
  absl::string_view host = address.substr(0, colon);
  if (absl::ConsumePrefix(&host, "[")) absl::ConsumeSuffix(&host, "]");
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  error = getaddrinfo(std::string(host).c_str(), std::string(address.substr(colon + 1)).c_str(),
                      &hints, &found);
  return {error == 0 ? found : nullptr, &freeaddrinfo};
}

void SetPort(sockaddr* address, int port) {
  const auto network_port = htons(static_cast<uint16_t>(port));
  if (address->sa_family == AF_INET6) {
    reinterpret_cast<sockaddr_in6*>(address)->sin6_port = network_port;
  } else {
    reinterpret_cast<sockaddr_in*>(address)->sin_port = network_port;
  }
}

int PortOf(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&address)->sin6_port
                                             : reinterpret_cast<sockaddr_in*>(&address)->sin_port);
}

// What accepted connections inherit: a reply goes out at once, and a peer that has silently gone
// is given up. An address whose last server has just ended can be taken again, but not shared.
bool SetTcpOptions(int fd, const Listener::Options& options) {
  return SetOption(fd, SOL_SOCKET, SO_REUSEADDR, 1) && SetOption(fd, IPPROTO_TCP, TCP_NODELAY, 1) &&
         SetOption(fd, IPPROTO_TCP, TCP_USER_TIMEOUT,
                   static_cast<int>(options.unacknowledged.count()));
}

}  // namespace

absl::StatusOr<Listener> Listener::Open(const std::string& address, const Options& options) {
  Listener listener(address);
  absl::Status status =
      absl::StartsWith(address, "unix:") ? listener.OpenUnix(options) : listener.OpenTcp(options);
  if (!status.ok()) return status;
  return listener;
}

Listener::Listener(Listener&& other) noexcept
    : address_(std::move(other.address_)),
      fds_(std::exchange(other.fds_, {})),
      unix_path_(std::exchange(other.unix_path_, "")),
      lock_fd_(std::exchange(other.lock_fd_, -1)) {}

Listener::~Listener() {
  for (const int fd : fds_) close(fd);
  if (!unix_path_.empty()) unlink(unix_path_.c_str());
  // The lock's file stays: were it removed, two gateways could hold locks on two files of that
  // name.
  if (lock_fd_ >= 0) close(lock_fd_);
}

absl::Status Listener::OpenTcp(const Options& options) {
  int error = 0;
  const AddressList list = Resolve(address_, error);
  if (list == nullptr) return CannotListen(address_, gai_strerror(error));
  int port = 0;
  for (addrinfo* one = list.get(); one != nullptr; one = one->ai_next) {
    const int fd = socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
      if (errno == EAFNOSUPPORT && one->ai_next != nullptr) continue;  // a kernel without IPv6
      return CannotListen(address_, errno);
    }
    fds_.push_back(fd);
    // With port 0, further addresses of the host take the port that the first one got.
    if (port != 0) SetPort(one->ai_addr, port);
    if (!SetTcpOptions(fd, options) || bind(fd, one->ai_addr, one->ai_addrlen) != 0 ||
        listen(fd, kBacklog) != 0) {
      return CannotListen(address_, errno);
    }
    port = PortOf(fd);
  }
  address_ = absl::StrCat(address_.substr(0, address_.rfind(':')), ":", port);
  return absl::OkStatus();
}

absl::Status Listener::OpenUnix(const Options& options) {
  const std::string path(absl::StripPrefix(address_, "unix:"));
  if (absl::Status status = LockUnixPath(path); !status.ok()) return status;
  struct stat there{};
  if (lstat(path.c_str(), &there) == 0) {
    if (!S_ISSOCK(there.st_mode)) return CannotListen(address_, "there is a file of that name");
    unlink(path.c_str());  // left behind by a gateway that was killed: we hold its lock
  }
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return CannotListen(address_, ENAMETOOLONG);
  std::memcpy(address.sun_path, path.data(), path.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return CannotListen(address_, errno);
  fds_.push_back(fd);
  // Under the umask, so that there is no moment at which more may connect than should.
  const mode_t umask_before = umask(0777 & ~options.unix_mode);
  const int bound = bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int bind_error = errno;
  umask(umask_before);
  if (bound != 0) return CannotListen(address_, bind_error);
  unix_path_ = path;
  if (listen(fd, kBacklog) != 0) return CannotListen(address_, errno);
  return absl::OkStatus();
}

absl::Status Listener::LockUnixPath(const std::string& path) {
  const std::string lock_path = path + ".lock";
  lock_fd_ = open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock_fd_ < 0) {
    return CannotListen(address_, absl::StrCat(lock_path, ": ", strerrordesc_np(errno)));
  }
  if (flock(lock_fd_, LOCK_EX | LOCK_NB) == 0) return absl::OkStatus();
  return CannotListen(
      address_, errno == EWOULDBLOCK ? "another gateway listens there" : strerrordesc_np(errno));
}

}  // namespace idv
