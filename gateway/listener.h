#pragma once

#include <absl/status/statusor.h>
#include <sys/types.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace idv {

// The listening sockets of one configured address, closed when it goes. We listen by ourselves, and
// do not let gRPC do it: it shares ports and takes over the paths of unix sockets silently, creates
// them with whatever permissions the umask leaves, and caps no connections.
class Listener {
 public:
  struct Options {
    // The permissions of a unix socket.
    mode_t unix_mode = 0660;
    // How long sent bytes may stay without an acknowledgement until the kernel gives a TCP
    // connection up.
    std::chrono::milliseconds unacknowledged{20'000};
  };

  // `address`: "HOST:PORT" (an IPv6 host in brackets, port 0 for any free one), on every address
  // that the host's name has; or "unix:/PATH", whose file "/PATH.lock" is locked and whose stale
  // socket is replaced. Nothing else may run that creates files meanwhile: the umask is set.
  // kUnavailable, with the address and the cause: it cannot be listened on.
  static absl::StatusOr<Listener> Open(const std::string& address, const Options& options);

  Listener(Listener&& other) noexcept;
  Listener& operator=(Listener&&) = delete;
  ~Listener();

  // The same with the real port.
  const std::string& address() const { return address_; }
  const std::vector<int>& fds() const { return fds_; }

 private:
  explicit Listener(std::string address) : address_(std::move(address)) {}
  absl::Status OpenTcp(const Options& options);
  absl::Status OpenUnix(const Options& options);
  absl::Status LockUnixPath(const std::string& path);

  std::string address_;
  std::vector<int> fds_;
  std::string unix_path_;  // of the socket to remove; its lock is held until then
  int lock_fd_ = -1;
};

}  // namespace idv
