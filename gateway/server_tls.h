#pragma once

#include <absl/status/statusor.h>
#include <grpcpp/security/server_credentials.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>

#include "auth/tls_files.h"

namespace idv {

// The TLS of the listeners, at least 1.2: certificate, key and the authorities of clients, which
// can be replaced while connections are served. Thread-safe.
class ServerTls : public std::enable_shared_from_this<ServerTls> {
 public:
  // Errors: those of ReadTlsFiles().
  // `needs_clients`: with a client CA, clients without a certificate are refused.
  static absl::StatusOr<std::shared_ptr<ServerTls>> Load(const TlsFiles& files, bool needs_clients);

  // Reads the files again; connections from now on get what is in them, and those that are there
  // stay. False: nothing is new. Errors: those of ReadTlsFiles(); what was there is kept.
  absl::StatusOr<bool> Reload();

  // Who has a client CA asks every client for a certificate of it, and lets those without one in if
  // it may. For one listening server; may outlive this.
  std::shared_ptr<grpc::ServerCredentials> Credentials();

  const TlsFiles& files() const { return files_; }
  // When the first of the certificates in use is valid no longer.
  std::optional<std::chrono::system_clock::time_point> expiry();

 private:
  class ReloadingCredentials;

  ServerTls(TlsFiles files, bool needs_clients)
      : files_(std::move(files)), needs_clients_(needs_clients) {}

  const TlsFiles files_;
  const bool needs_clients_;
  std::mutex mutex_;
  TlsIdentity identity_;  // protected by mutex_
  bool has_news_ = true;  // for the credentials; protected by mutex_
};

}  // namespace idv
