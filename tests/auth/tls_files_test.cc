#include "auth/tls_files.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/upstream/certificates.h"

namespace idv {
namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

class TlsFilesTest : public testing::Test {
 protected:
  TlsFiles Files() const {
    return {.cert_file = certificates_.cert_file(),
            .key_file = certificates_.key_file(),
            .client_ca_file = certificates_.ca_file()};
  }

  // `file`: the one to be named, with what is wrong.
  static void ExpectRefused(const TlsFiles& files, const std::string& file,
                            const std::string& what) {
    const auto identity = ReadTlsFiles(files);
    EXPECT_EQ(identity.status().message(), file + " " + what);
  }

  const TestCertificates certificates_;
};

TEST_F(TlsFilesTest, AreReadAsTheyAre) {
  const auto identity = ReadTlsFiles(Files());

  ASSERT_TRUE(identity.ok()) << identity.status();
  EXPECT_EQ(identity->certificates, ReadFile(certificates_.cert_file()));
  EXPECT_EQ(identity->key, ReadFile(certificates_.key_file()));
  EXPECT_EQ(identity->client_ca, ReadFile(certificates_.ca_file()));

  TlsFiles without_ca = Files();
  without_ca.client_ca_file = "";
  EXPECT_EQ(ReadTlsFiles(without_ca)->client_ca, "");
}

TEST_F(TlsFilesTest, MayHoldAChain) {
  std::ofstream(certificates_.cert_file(), std::ios::app) << ReadFile(certificates_.ca_file());

  EXPECT_TRUE(ReadTlsFiles(Files()).ok());
}

TEST_F(TlsFilesTest, ThatCannotBeUsedAreNamed) {
  certificates_.Issue("other", "DNS:localhost");
  certificates_.Issue("old", "DNS:localhost",
                      "-startdate 20000101000000Z -enddate 20000201000000Z");
  const std::string empty = certificates_.cert_file("empty");
  std::ofstream(empty) << "";
  const std::string cut = certificates_.cert_file("cut");
  const std::string whole = ReadFile(certificates_.cert_file());
  std::ofstream(cut) << whole << whole.substr(0, whole.size() / 2);
  const std::string folder = std::filesystem::path(empty).parent_path();

  const auto with = [&](std::string TlsFiles::* which, const std::string& path) {
    TlsFiles files = Files();
    files.*which = path;
    return files;
  };
  const std::string no_certificates = "holds no PEM certificates";
  const std::string missing = "cannot be read: No such file or directory";
  for (const auto which : {&TlsFiles::cert_file, &TlsFiles::client_ca_file}) {
    ExpectRefused(with(which, empty), empty, no_certificates);
    ExpectRefused(with(which, cut), cut, no_certificates);
    ExpectRefused(with(which, certificates_.key_file()), certificates_.key_file(), no_certificates);
    ExpectRefused(with(which, "/no/file"), "/no/file", missing);
    ExpectRefused(with(which, folder), folder, "cannot be read: Is a directory");
  }
  ExpectRefused(with(&TlsFiles::key_file, "/no/file"), "/no/file", missing);
  ExpectRefused(with(&TlsFiles::key_file, empty), empty, "holds no PEM key without a passphrase");
  const std::string other_key = certificates_.key_file("other");
  ExpectRefused(with(&TlsFiles::key_file, other_key), other_key,
                "is not the key of the certificate in " + certificates_.cert_file());
  TlsFiles old = with(&TlsFiles::cert_file, certificates_.cert_file("old"));
  old.key_file = certificates_.key_file("old");
  ExpectRefused(old, old.cert_file, "holds a certificate that has expired");
}

TEST_F(TlsFilesTest, AKeyWithAPassphraseIsRefusedWithoutAsking) {
  const std::string key = certificates_.key_file("locked");
  const std::string command = "openssl ec -aes256 -passout pass:secret -in " +
                              certificates_.key_file() + " -out " + key + " 2>/dev/null";
  ASSERT_EQ(std::system(command.c_str()), 0);  // NOLINT: a fixed command
  TlsFiles files = Files();
  files.key_file = key;

  ExpectRefused(files, key, "holds no PEM key without a passphrase");
}

}  // namespace
}  // namespace idv
