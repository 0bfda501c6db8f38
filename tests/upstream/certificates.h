#pragma once

#include <string>

namespace idv {

// An authority, a server's certificate that it has signed, and others as they are asked for, made
// by openssl in a folder of their own. Each has an authority of its own.
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

  // Makes or replaces `name`.pem and `name`.key. `alternative_names`: "DNS:a,URI:spiffe://a/b", or
  // none; the subject is CN=`name`.
  void Issue(const std::string& name, const std::string& alternative_names,
             const std::string& validity = "-days 2") const;

  // "sha256//" and base64: of the public key of `name`.pem.
  std::string Pin(const std::string& name = "server") const;

  std::string cert_file(const std::string& name) const { return folder_ + "/" + name + ".pem"; }
  std::string key_file(const std::string& name) const { return folder_ + "/" + name + ".key"; }
  std::string ca_file() const { return folder_ + "/ca.pem"; }
  std::string cert_file() const { return cert_file("server"); }
  std::string key_file() const { return key_file("server"); }

 private:
  std::string folder_;
};

}  // namespace idv
