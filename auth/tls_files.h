#pragma once

#include <absl/status/statusor.h>

#include <chrono>
#include <optional>
#include <string>

namespace idv {

// What a TLS server shows its clients, and whom of them it trusts. All PEM.
struct TlsIdentity {
  TlsIdentity() = default;
  TlsIdentity(TlsIdentity&&) = default;
  TlsIdentity& operator=(TlsIdentity&&) = default;
  // Wipes the key.
  ~TlsIdentity();

  bool operator==(const TlsIdentity& other) const = default;

  // The server's certificate first, then those it descends from.
  std::string certificates;
  std::string key;
  // Empty: no client is asked for a certificate.
  std::string client_ca;
};

struct TlsFiles {
  std::string cert_file;
  std::string key_file;
  std::string client_ca_file;  // may be empty
};

// Reads the files and makes sure that they can be used: PEM all, no certificate of `cert_file`
// expired, the key without a passphrase and that of the first certificate. A file that is just
// being written fails that, and so does a pair of which only one is new. Errors: those of
// ReadFile(); kInvalidArgument: what is wrong, with the file's name; nothing of what is in it.
absl::StatusOr<TlsIdentity> ReadTlsFiles(const TlsFiles& files);

// When the first of these certificates, in PEM, is valid no longer; nothing if there is none.
std::optional<std::chrono::system_clock::time_point> ExpiryOf(const std::string& certificates);
// The same of those in a file; nothing if it cannot be read.
std::optional<std::chrono::system_clock::time_point> ExpiryOfFile(const std::string& path);

}  // namespace idv
