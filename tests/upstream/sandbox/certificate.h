#ifndef TESTS_UPSTREAM_SANDBOX_CERTIFICATE_H_
#define TESTS_UPSTREAM_SANDBOX_CERTIFICATE_H_

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace idv::sandbox {

// A certificate for localhost that vouches for itself, in files that go with it.
class Certificate {
 public:
  Certificate() {
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj "
        "/CN=localhost -keyout " +
        key + " -out " + file + " 2>/dev/null";
    if (std::system(command.c_str()) != 0) std::abort();
  }
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;
  ~Certificate() {
    unlink(key.c_str());
    unlink(file.c_str());
  }

  const std::string key = testing::TempDir() + "/tls-" + std::to_string(getpid()) + ".key";
  const std::string file = testing::TempDir() + "/tls-" + std::to_string(getpid()) + ".pem";
};

}  // namespace idv::sandbox

#endif  // TESTS_UPSTREAM_SANDBOX_CERTIFICATE_H_
