#include "tests/e2e/tls_connection.h"

#include <grpcpp/grpcpp.h>

#include <fstream>
#include <iterator>

namespace idv::e2e {

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Client ConnectTls(const std::string& address, const TestCertificates& server,
                  const TestCertificates& client, const std::string& certificate) {
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = ReadFile(server.ca_file());
  if (!certificate.empty()) {
    options.pem_cert_chain = ReadFile(client.cert_file(certificate));
    options.pem_private_key = ReadFile(client.key_file(certificate));
  }
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetSslTargetNameOverride("localhost");
  return Client(grpc::CreateCustomChannel(address, grpc::SslCredentials(options), arguments));
}

}  // namespace idv::e2e
