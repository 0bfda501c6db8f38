#include "gateway/verify/channel.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include "grpc/health/v1/health.grpc.pb.h"

namespace idv::verify {
namespace {

using std::chrono::system_clock;

system_clock::time_point In(std::chrono::nanoseconds time) {
  return system_clock::now() + std::chrono::duration_cast<system_clock::duration>(time);
}

std::shared_ptr<grpc::ChannelCredentials> Credentials(const Tls& tls) {
  if (!tls.enabled) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = tls.roots;  // empty: those of the system
  options.pem_cert_chain = tls.certificate;
  options.pem_private_key = tls.key;
  return grpc::SslCredentials(options);
}

}  // namespace

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& target, const Tls& tls) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  // A gateway that is just starting is found soon.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 500);
  return grpc::CreateCustomChannel(target, Credentials(tls), arguments);
}

std::optional<std::string> WhyUnreachable(const std::shared_ptr<grpc::Channel>& channel,
                                          std::chrono::nanoseconds patience) {
  if (channel->WaitForConnected(In(patience))) return std::nullopt;

  // Only a call says why there is no connection. Should this one get through, it does no harm.
  grpc::ClientContext context;
  context.set_deadline(In(std::chrono::milliseconds(500)));
  grpc::health::v1::HealthCheckResponse response;
  const auto status = grpc::health::v1::Health::NewStub(channel)->Check(&context, {}, &response);
  if (channel->GetState(false) == GRPC_CHANNEL_READY) return std::nullopt;
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) return "no answer";
  // This is how gRPC says that it can make no TLS context of the files.
  if (status.error_message().starts_with("empty address list")) {
    return "the TLS files are unusable: all PEM, and does the key fit the certificate?";
  }
  return status.error_message();
}

}  // namespace idv::verify
