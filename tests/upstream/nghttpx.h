#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "tests/upstream/certificates.h"

namespace idv {

// nghttpx, which speaks TLS with HTTP/2 and HTTP/1.1 in front of a plain server. It tells the
// server in the header `via` which of the two a request came by.
class Nghttpx {
 public:
  // `port`: to take the place of another one; 0 for a free one. `flags`: more of them.
  Nghttpx(const TestCertificates& certificates, int backend_port, int port = 0,
          const std::vector<std::string>& flags = {});
  ~Nghttpx();
  Nghttpx(const Nghttpx&) = delete;
  Nghttpx& operator=(const Nghttpx&) = delete;

  // "https://localhost:PORT"
  std::string url() const { return "https://localhost:" + std::to_string(port_); }
  int port() const { return port_; }
  pid_t pid() const { return pid_; }

 private:
  int port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace idv
