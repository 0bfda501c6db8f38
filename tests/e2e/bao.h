#pragma once

#include <memory>
#include <optional>
#include <string>

#include "auth/fetch.h"
#include "tests/e2e/process.h"
#include "tests/e2e/sandbox.h"

namespace idv::e2e {

// A running OpenBao, a secrets store with the HTTP API of Vault, in memory and unsealed, with a
// key/value engine at secret/. `deploy/setup.sh --all` installs it.
class Bao {
 public:
  static bool IsInstalled();

  // `port`: to take the place of another one; 0 for a free one.
  explicit Bao(bool with_tls = false, int port = 0);

  std::string address() const;
  int port() const { return port_; }
  // Of its certificate; empty without TLS.
  std::string ca_file() const { return with_tls_ ? dir_.Path("vault-ca.pem") : ""; }
  static std::string root_token() { return "root"; }

  // Writes what is below /v1/; the answer, which must be a success.
  Json Write(const std::string& path, const Json& body);
  // A new version of a secret with one field.
  void Put(const std::string& name, const std::string& field, const std::string& value);
  // A policy that permits to read all secrets of the engine.
  void AddPolicy(const std::string& name);
  // A token with that policy.
  std::string Token(const std::string& policy, const std::string& time);

 private:
  std::optional<FetchResponse> Ask(const std::string& path, const std::optional<Json>& body);

  const bool with_tls_;
  const int port_;
  TempDir dir_;
  Process process_;
  Fetcher fetcher_;
};

}  // namespace idv::e2e
