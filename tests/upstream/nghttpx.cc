#include "tests/upstream/nghttpx.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "tests/free_port.h"

namespace idv {
namespace {

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

bool CanConnect(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in address = Loopback(port);
  const bool connected =
      connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return connected;
}

}  // namespace

Nghttpx::Nghttpx(const TestCertificates& certificates, int backend_port, int port,
                 const std::vector<std::string>& flags)
    : port_(port == 0 ? FreePort() : port) {
  std::vector<std::string> arguments = {"nghttpx", "--conf=/dev/null", "--workers=1", "--no-ocsp"};
  arguments.push_back("--frontend=127.0.0.1," + std::to_string(port_));
  arguments.push_back("--backend=127.0.0.1," + std::to_string(backend_port));
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  arguments.push_back(certificates.key_file());
  arguments.push_back(certificates.cert_file());
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  pid_ = fork();
  if (pid_ == 0) {
    const int null = open("/dev/null", O_RDWR);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    execvp(argv[0], argv.data());
    _exit(127);
  }
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!CanConnect(port_)) {
    if (std::chrono::steady_clock::now() > end || waitpid(pid_, nullptr, WNOHANG) != 0) {
      ADD_FAILURE() << "nghttpx does not start";
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

Nghttpx::~Nghttpx() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  // Its worker, a process of its own, ends when it notices.
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (CanConnect(port_) && std::chrono::steady_clock::now() < end) std::this_thread::yield();
}

}  // namespace idv
