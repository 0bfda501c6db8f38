#include "channel.h"

#include <cerrno>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace {

constexpr char kUsage[] =
    "\nidv-client-cpp --service-config FILE [--target HOST:PORT|unix:///PATH] [--tls-ca FILE]"
    "\n               [--token-file FILE | --tls-cert FILE --tls-key FILE]";

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::system_error(errno, std::generic_category(), path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Shows the token that is in the file now: a projected token of Kubernetes is replaced every hour
// or so. Asked for each call, on a thread of gRPC's.
class TokenFile : public grpc::MetadataCredentialsPlugin {
 public:
  explicit TokenFile(std::string path) : path_(std::move(path)) {}

  grpc::Status GetMetadata(grpc::string_ref, grpc::string_ref, const grpc::AuthContext&,
                           std::multimap<std::string, std::string>* metadata) override {
    std::ifstream file(path_);
    std::string token;
    if (!(file >> token)) return {grpc::StatusCode::UNAVAILABLE, "no token in " + path_};
    metadata->emplace("authorization", "Bearer " + token);
    return grpc::Status::OK;
  }

 private:
  const std::string path_;
};

std::shared_ptr<grpc::ChannelCredentials> Credentials(const Options& options) {
  if (options.tls_ca.empty()) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions tls;
  tls.pem_root_certs = ReadFile(options.tls_ca);
  if (!options.tls_cert.empty()) {
    tls.pem_cert_chain = ReadFile(options.tls_cert);
    tls.pem_private_key = ReadFile(options.tls_key);
  }
  auto credentials = grpc::SslCredentials(tls);
  if (options.token_file.empty()) return credentials;
  ReadFile(options.token_file);  // so that a wrong path is told at once
  return grpc::CompositeChannelCredentials(
      credentials,
      grpc::MetadataCredentialsFromPlugin(std::make_unique<TokenFile>(options.token_file)));
}

}  // namespace

Options ReadOptions(int argc, char** argv) {
  Options options;
  const std::map<std::string, std::string*> flags = {
      {"--target", &options.target},         {"--tls-ca", &options.tls_ca},
      {"--tls-cert", &options.tls_cert},     {"--tls-key", &options.tls_key},
      {"--token-file", &options.token_file}, {"--service-config", &options.service_config}};
  const auto refuse = [](const std::string& why) { throw std::invalid_argument(why + kUsage); };
  for (int i = 1; i < argc; i += 2) {
    const auto flag = flags.find(argv[i]);
    if (flag == flags.end()) refuse("there is no flag " + std::string(argv[i]));
    if (i + 1 == argc) refuse(flag->first + " needs a value");
    *flag->second = argv[i + 1];
  }
  if (options.service_config.empty()) refuse("--service-config is missing");
  if (options.tls_cert.empty() != options.tls_key.empty()) {
    refuse("--tls-cert and --tls-key come together");
  }
  if (options.tls_ca.empty() && !(options.tls_cert.empty() && options.token_file.empty())) {
    refuse("a certificate or a token goes over TLS only: --tls-ca is missing");
  }
  return options;
}

std::shared_ptr<grpc::Channel> MakeChannel(const Options& options) {
  grpc::ChannelArguments arguments;
  // Says which calls are repeated after which codes: those that cannot act twice. For a call that
  // was refused for good the gateway says so, and gRPC heeds that.
  arguments.SetServiceConfigJSON(ReadFile(options.service_config));
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);  // none is looked for in DNS
  return grpc::CreateCustomChannel(options.target, Credentials(options), arguments);
}
