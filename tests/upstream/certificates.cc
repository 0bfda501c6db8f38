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
constexpr char kAuthority[] =
    "[ca]\ndefault_ca=test\n"
    "[test]\ndatabase=issued\nnew_certs_dir=.\nrand_serial=yes\ndefault_md=sha256\n"
    "policy=names\nunique_subject=no\n"
    "[names]\ncommonName=supplied\n";

constexpr char kNewKey[] = " -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes ";

}  // namespace

TestCertificates::TestCertificates(const Options& options) {
  std::string name = testing::TempDir() + "/certificates.XXXXXX";
  folder_ = mkdtemp(name.data());
  std::ofstream(folder_ + "/ca.conf") << kAuthority;
  const std::ofstream issued(folder_ + "/issued");
  Run("cd " + folder_ +
      " && openssl req -x509 -days 2 -subj /CN=test-ca -keyout ca.key -out ca.pem" + kNewKey);
  const std::string from = options.from.empty() ? "" : "-startdate " + options.from;
  const std::string until = options.until.empty() ? "-days 2" : "-enddate " + options.until;
  Issue("server", "DNS:" + options.host, from + " " + until);
}

void TestCertificates::Issue(const std::string& name, const std::string& alternative_names,
                             const std::string& validity) const {
  const std::string in = "cd " + folder_ + " && openssl ";
  std::ofstream extensions(folder_ + "/extensions");
  if (!alternative_names.empty()) extensions << "subjectAltName=" << alternative_names << "\n";
  extensions << "keyUsage=digitalSignature\n" << std::flush;
  const std::string request = " -keyout " + name + ".key -out " + name + ".csr";
  Run(in + "req -subj /CN=" + name + request + kNewKey);
  Run(in + "ca -batch -notext -config ca.conf -extfile extensions -cert ca.pem -keyfile ca.key " +
      validity + " -in " + name + ".csr -out " + name + ".pem");
}

std::string TestCertificates::Pin(const std::string& name) const {
  Run("cd " + folder_ + " && openssl x509 -noout -pubkey -in " + name + ".pem |" +
      " openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | openssl base64 -out pin");
  std::ifstream file(folder_ + "/pin");
  std::string digest;
  file >> digest;
  return "sha256//" + digest;
}

TestCertificates::~TestCertificates() { std::filesystem::remove_all(folder_); }

}  // namespace idv
