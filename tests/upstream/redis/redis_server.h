#pragma once

#include <string>
#include <vector>

#include "tests/e2e/process.h"
#include "tests/upstream/certificates.h"

namespace idv {

// A real Redis server on a free port of this machine, which keeps nothing on disk.
class RedisServer {
 public:
  // `flags`: further ones of redis-server, such as {"--requirepass", "x"}.
  explicit RedisServer(const std::vector<std::string>& flags = {});
  // In the place of another one that has gone.
  RedisServer(int port, const std::vector<std::string>& flags);
  // With TLS only, for who has a certificate of the same authority.
  explicit RedisServer(const TestCertificates& certificates);

  int port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  const e2e::Process& process() const { return process_; }

  // Without TLS: what redis-cli prints for a command.
  std::string Ask(const std::vector<std::string>& command) const;

 private:
  RedisServer(int port, int plaintext_port, const std::vector<std::string>& flags);

  const int port_;
  const e2e::TempDir folder_;
  const e2e::Process process_;
};

}  // namespace idv
