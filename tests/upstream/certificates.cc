#include "tests/upstream/certificates.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace idv {
namespace {

void Run(const std::string& command) {
  if (std::system((command + " >/dev/null 2>&1").c_str()) != 0) {  // NOLINT: a fixed command
    ADD_FAILURE() << "failed: " << command;
  }
}

// What `openssl ca`, which alone takes dates, wants to be told of an authority.
std::string Authority(const std::string& host) {
  return "[ca]\ndefault_ca=test\n"
         "[test]\ndatabase=issued\nnew_certs_dir=.\nrand_serial=yes\ndefault_md=sha256\n"
         "policy=names\nx509_extensions=extensions\n"
         "[names]\ncommonName=supplied\n"
         "[extensions]\nsubjectAltName=DNS:" +
         host + "\n";
}

}  // namespace

TestCertificates::TestCertificates(const Options& options) {
  std::string name = testing::TempDir() + "/certificates.XXXXXX";
  folder_ = mkdtemp(name.data());
  std::ofstream(folder_ + "/ca.conf") << Authority(options.host);
  const std::ofstream issued(folder_ + "/issued");
  const std::string in = "cd " + folder_ + " && openssl ";
  const std::string new_key = " -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes ";
  Run(in + "req -x509 -days 2 -subj /CN=test-ca -keyout ca.key -out ca.pem" + new_key);
  Run(in + "req -subj /CN=" + options.host + " -keyout server.key -out server.csr" + new_key);
  const std::string from = options.from.empty() ? "" : " -startdate " + options.from;
  const std::string until = options.until.empty() ? " -days 2" : " -enddate " + options.until;
  Run(in + "ca -batch -notext -config ca.conf -cert ca.pem -keyfile ca.key" + from + until +
      " -in server.csr -out server.pem");
}

TestCertificates::~TestCertificates() { std::filesystem::remove_all(folder_); }

}  // namespace idv
