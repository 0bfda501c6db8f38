#include "gateway/server_tls.h"

#include <grpc/grpc_security.h>

#include <utility>

namespace idv {

// gRPC's C++ classes read a certificate once, or watch files and take whatever is in them, a
// certificate with another one's key included. Its C interface asks at every handshake.
class ServerTls::ReloadingCredentials final : public grpc::ServerCredentials {
 public:
  explicit ReloadingCredentials(std::shared_ptr<ServerTls> tls) : tls_(std::move(tls)) {
    grpc_ssl_server_credentials_options* const options =
        grpc_ssl_server_credentials_create_options_using_config_fetcher(ClientRequestOf(*tls_),
                                                                        Fetch, tls_.get());
    credentials_ = grpc_ssl_server_credentials_create_with_options(options);
  }
  ~ReloadingCredentials() override { grpc_server_credentials_release(credentials_); }
  ReloadingCredentials(const ReloadingCredentials&) = delete;
  ReloadingCredentials& operator=(const ReloadingCredentials&) = delete;

  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  static grpc_ssl_client_certificate_request_type ClientRequestOf(const ServerTls& tls) {
    if (tls.files_.client_ca_file.empty()) return GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE;
    return tls.needs_clients_ ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                              : GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY;
  }

  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  // On whatever thread a handshake begins.
  static grpc_ssl_certificate_config_reload_status Fetch(
      void* user_data, grpc_ssl_server_certificate_config** config) {
    ServerTls& tls = *static_cast<ServerTls*>(user_data);
    const std::lock_guard lock(tls.mutex_);
    if (!std::exchange(tls.has_news_, false)) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    const TlsIdentity& identity = tls.identity_;
    const grpc_ssl_pem_key_cert_pair pair{identity.key.c_str(), identity.certificates.c_str()};
    const char* const client_ca = identity.client_ca.empty() ? nullptr : identity.client_ca.c_str();
    *config = grpc_ssl_server_certificate_config_create(client_ca, &pair, 1);
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  const std::shared_ptr<ServerTls> tls_;
  grpc_server_credentials* credentials_;
};

absl::StatusOr<std::shared_ptr<ServerTls>> ServerTls::Load(const TlsFiles& files,
                                                           bool needs_clients) {
  absl::StatusOr<TlsIdentity> identity = ReadTlsFiles(files);
  if (!identity.ok()) return identity.status();
  std::shared_ptr<ServerTls> tls(new ServerTls(files, needs_clients));
  tls->identity_ = *std::move(identity);
  return tls;
}

absl::StatusOr<bool> ServerTls::Reload() {
  absl::StatusOr<TlsIdentity> identity = ReadTlsFiles(files_);
  if (!identity.ok()) return identity.status();
  const std::lock_guard lock(mutex_);
  if (*identity == identity_) return false;
  identity_ = *std::move(identity);
  has_news_ = true;
  return true;
}

std::shared_ptr<grpc::ServerCredentials> ServerTls::Credentials() {
  return std::make_shared<ReloadingCredentials>(shared_from_this());
}

std::optional<std::chrono::system_clock::time_point> ServerTls::expiry() {
  const std::lock_guard lock(mutex_);
  return ExpiryOf(identity_.certificates);
}

}  // namespace idv
