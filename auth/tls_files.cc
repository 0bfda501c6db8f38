#include "auth/tls_files.h"

#include <absl/strings/str_cat.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <utility>
#include <vector>

#include "auth/read_file.h"

namespace idv {
namespace {

// A certificate bundle of a whole system has some 200 KiB.
constexpr size_t kMaxFileBytes = size_t{1} << 20;

template <auto kFree>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Bio = std::unique_ptr<BIO, Freer<BIO_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;

absl::Status Unusable(const std::string& path, absl::string_view what) {
  ERR_clear_error();
  return absl::InvalidArgumentError(absl::StrCat(path, " ", what));
}

Bio Reader(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

absl::StatusOr<std::vector<Certificate>> ParseCertificates(const std::string& path,
                                                           const std::string& pem) {
  std::vector<Certificate> certificates;
  const Bio bio = Reader(pem);
  while (Certificate one{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
    certificates.push_back(std::move(one));
  }
  const bool is_at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (certificates.empty() || !is_at_end) return Unusable(path, "holds no PEM certificates");
  return certificates;
}

// Instead of asking on the terminal.
int NoPassphrase(char*, int, int, void*) { return -1; }

}  // namespace

TlsIdentity::~TlsIdentity() { OPENSSL_cleanse(key.data(), key.size()); }

absl::StatusOr<TlsIdentity> ReadTlsFiles(const TlsFiles& files) {
  TlsIdentity identity;
  absl::StatusOr<std::string> certificates = ReadFile(files.cert_file, kMaxFileBytes);
  if (!certificates.ok()) return certificates.status();
  absl::StatusOr<std::string> key_text = ReadFile(files.key_file, kMaxFileBytes);
  if (!key_text.ok()) return key_text.status();
  identity.certificates = *std::move(certificates);
  identity.key = *std::move(key_text);

  const auto chain = ParseCertificates(files.cert_file, identity.certificates);
  if (!chain.ok()) return chain.status();
  for (const Certificate& certificate : *chain) {
    if (X509_cmp_current_time(X509_get0_notAfter(certificate.get())) < 0) {
      return Unusable(files.cert_file, "holds a certificate that has expired");
    }
  }
  const Key key(
      PEM_read_bio_PrivateKey(Reader(identity.key).get(), nullptr, NoPassphrase, nullptr));
  if (key == nullptr) return Unusable(files.key_file, "holds no PEM key without a passphrase");
  if (X509_check_private_key(chain->front().get(), key.get()) != 1) {
    return Unusable(files.key_file,
                    absl::StrCat("is not the key of the certificate in ", files.cert_file));
  }

  if (!files.client_ca_file.empty()) {
    absl::StatusOr<std::string> client_ca = ReadFile(files.client_ca_file, kMaxFileBytes);
    if (!client_ca.ok()) return client_ca.status();
    const auto parsed = ParseCertificates(files.client_ca_file, *client_ca);
    if (!parsed.ok()) return parsed.status();
    identity.client_ca = *std::move(client_ca);
  }
  return identity;
}

std::optional<std::chrono::system_clock::time_point> ExpiryOf(const std::string& certificates) {
  const auto chain = ParseCertificates("", certificates);
  if (!chain.ok()) return std::nullopt;
  std::optional<std::chrono::system_clock::time_point> first;
  for (const Certificate& certificate : *chain) {
    std::tm utc{};
    if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &utc) != 1) continue;
    const auto end = std::chrono::system_clock::from_time_t(timegm(&utc));
    first = std::min(first.value_or(end), end);
  }
  return first;
}

std::optional<std::chrono::system_clock::time_point> ExpiryOfFile(const std::string& path) {
  const absl::StatusOr<std::string> certificates = ReadFile(path, kMaxFileBytes);
  if (!certificates.ok()) return std::nullopt;
  return ExpiryOf(*certificates);
}

}  // namespace idv
