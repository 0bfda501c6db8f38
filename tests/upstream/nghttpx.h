#pragma once

#include <sys/types.h>

#include <string>

namespace idv {

// A certificate for "localhost" and the authority that signed it, made by openssl in a folder of
// their own.
class TestCertificates {
 public:
  TestCertificates();
  ~TestCertificates();
  TestCertificates(const TestCertificates&) = delete;
  TestCertificates& operator=(const TestCertificates&) = delete;

  std::string ca_file() const { return folder_ + "/ca.pem"; }
  std::string cert_file() const { return folder_ + "/server.pem"; }
  std::string key_file() const { return folder_ + "/server.key"; }
  std::string folder() const { return folder_; }

 private:
  std::string folder_;
};

// nghttpx, which speaks TLS with HTTP/2 and HTTP/1.1 in front of a plain server. It tells the
// server in the header `via` which of the two a request came by.
class Nghttpx {
 public:
  Nghttpx(const TestCertificates& certificates, int backend_port);
  ~Nghttpx();
  Nghttpx(const Nghttpx&) = delete;
  Nghttpx& operator=(const Nghttpx&) = delete;

  // "https://localhost:PORT"
  std::string url() const { return "https://localhost:" + std::to_string(port_); }

 private:
  int port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace idv
