#pragma once

#include <string>

namespace idv {

// A server's certificate and the authority that signed it, made by openssl in a folder of their
// own. Each has an authority of its own.
class TestCertificates {
 public:
  struct Options {
    // The only name in the certificate.
    std::string host = "localhost";
    // From when on and until when it is valid, such as 20000101000000Z; from now and for two days.
    std::string from = {};
    std::string until = {};
  };

  TestCertificates() : TestCertificates(Options{}) {}
  explicit TestCertificates(const Options& options);
  ~TestCertificates();
  TestCertificates(const TestCertificates&) = delete;
  TestCertificates& operator=(const TestCertificates&) = delete;

  std::string ca_file() const { return folder_ + "/ca.pem"; }
  std::string cert_file() const { return folder_ + "/server.pem"; }
  std::string key_file() const { return folder_ + "/server.key"; }

 private:
  std::string folder_;
};

}  // namespace idv
