// What it costs to know a caller, on the metadata and connection of a real call: authentication.sh
// says what is measured.

#include <absl/status/statusor.h>
#include <benchmark/benchmark.h>
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <future>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "auth/policy.h"
#include "auth/token_verifier.h"
#include "gateway/caller.h"
#include "kora/idv/v1/reference_service.grpc.pb.h"
#include "tests/auth/token_maker.h"
#include "tests/upstream/certificates.h"

namespace idv {
namespace {

using kora::idv::v1::GetUpstreamHealthRequest;
using kora::idv::v1::ReferenceService;
using kora::idv::v1::UpstreamHealth;

constexpr char kServiceAccount[] = "system:serviceaccount:kyc:onboarding";
constexpr char kSpiffe[] = "spiffe://cluster.local/ns/kyc/sa/onboarding";
constexpr size_t kMethods = 18;

std::string Read(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A call that stands still at its server, so that it can be looked at.
class StandingCall {
 public:
  StandingCall(const std::shared_ptr<grpc::ServerCredentials>& of_server,
               const std::shared_ptr<grpc::ChannelCredentials>& of_client,
               const std::string& token) {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("localhost:0", of_server, &port);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    const auto channel = grpc::CreateChannel("localhost:" + std::to_string(port), of_client);
    caller_ = std::thread([channel, token] {
      grpc::ClientContext context;
      if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
      context.AddMetadata("x-idv-tenant", "acme");
      UpstreamHealth health;
      ReferenceService::NewStub(channel)->GetUpstreamHealth(&context, {}, &health);
    });
    context_ = service_.standing.get_future().get();
  }
  ~StandingCall() {
    service_.go_on.set_value();
    caller_.join();
  }
  StandingCall(const StandingCall&) = delete;
  StandingCall& operator=(const StandingCall&) = delete;

  const grpc::ServerContext& context() const { return *context_; }

 private:
  struct Service final : ReferenceService::Service {
    grpc::Status GetUpstreamHealth(grpc::ServerContext* context, const GetUpstreamHealthRequest*,
                                   UpstreamHealth*) override {
      standing.set_value(context);
      go_on.get_future().wait();
      return grpc::Status::OK;
    }
    std::promise<const grpc::ServerContext*> standing;
    std::promise<void> go_on;
  };

  Service service_;
  std::unique_ptr<grpc::Server> server_;
  std::thread caller_;
  const grpc::ServerContext* context_ = nullptr;
};

// Everybody may call everything for the tenant, among a thousand others who may too.
Policy MakePolicy() {
  std::vector<Policy::Rule> rules;
  for (const std::string identity : {"local", kServiceAccount, kSpiffe}) {
    rules.push_back({identity, {"acme"}, {"*"}});
  }
  for (int i = 0; i < 1000; ++i)
    rules.push_back({"spiffe://other/" + std::to_string(i), {"*"}, {"*"}});
  std::vector<std::string> methods;
  for (size_t i = 0; i < kMethods; ++i) methods.push_back("a.b/C" + std::to_string(i));
  std::vector<Policy::Problem> problems;
  return Policy::Compile(rules, {"acme", "globex"}, methods, problems);
}

void Know(benchmark::State& state, const StandingCall& call, TokenVerifier* tokens) {
  const Policy policy = MakePolicy();
  for (auto _ : state) {
    const absl::StatusOr<std::string> identity = IdentityOf(call.context(), {}, tokens, policy);
    const bool is_allowed = identity.ok() && policy.Authorize(*identity, 3, "acme").kind ==
                                                 Policy::Verdict::Kind::kAllowed;
    if (!is_allowed) {
      state.SkipWithError("the caller is not known");
      break;
    }
  }
}

void Local(benchmark::State& state) {
  const StandingCall call(grpc::InsecureServerCredentials(), grpc::InsecureChannelCredentials(),
                          "");
  Know(state, call, nullptr);
}
BENCHMARK(Local);

void Certificate(benchmark::State& state) {
  const TestCertificates certificates;
  certificates.Issue("caller", std::string("URI:") + kSpiffe);
  grpc::SslServerCredentialsOptions of_server(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  of_server.pem_root_certs = Read(certificates.ca_file());
  of_server.pem_key_cert_pairs = {{Read(certificates.key_file()), Read(certificates.cert_file())}};
  const StandingCall call(
      grpc::SslServerCredentials(of_server),
      grpc::SslCredentials({.pem_root_certs = Read(certificates.ca_file()),
                            .pem_private_key = Read(certificates.key_file("caller")),
                            .pem_cert_chain = Read(certificates.cert_file("caller"))}),
      "");
  Know(state, call, nullptr);
}
BENCHMARK(Certificate);

// Tokens as Kubernetes projects them, of about a kilobyte, and who verifies them.
class Tokens {
 public:
  explicit Tokens(size_t kept)
      : verifier_({{.issuer = kIssuer,
                    .audience = "idv-gateway",
                    .jwks_file = "authentication_bench.json",
                    .jwks_url = "",
                    .jwks_ca_file = "",
                    .identity_claim = "sub"}},
                  {}, kept) {
    const std::string file = verifier_.files().front();
    std::ofstream(file) << KeySetOf(nlohmann::json::array({maker_.PublicKey()}));
    if (!verifier_.Load().ok()) std::cerr << "the keys cannot be read\n";
    unlink(file.c_str());
  }

  TokenVerifier& verifier() { return verifier_; }

  std::string Make(const std::string& pod) const {
    const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    constexpr char kUid[] = "12345678-1234-1234-1234-123456789012";
    return maker_.Sign({{"aud", nlohmann::json::array({"idv-gateway"})},
                        {"exp", now + 3600},
                        {"iss", kIssuer},
                        {"kubernetes.io",
                         {{"namespace", "kyc"},
                          {"node", {{"name", "node-1"}, {"uid", kUid}}},
                          {"pod", {{"name", pod}, {"uid", kUid}}},
                          {"serviceaccount", {{"name", "onboarding"}, {"uid", kUid}}}}},
                        {"nbf", now - 60},
                        {"sub", kServiceAccount}},
                       "RS256");
  }

 private:
  static constexpr char kIssuer[] = "https://kubernetes.default.svc.cluster.local";

  const TokenMaker maker_{"RSA-2048", "key-1"};
  TokenVerifier verifier_;
};

void KnownToken(benchmark::State& state) {
  Tokens tokens(4096);
  const StandingCall call(grpc::InsecureServerCredentials(), grpc::InsecureChannelCredentials(),
                          tokens.Make("onboarding-0"));
  Know(state, call, &tokens.verifier());
}
BENCHMARK(KnownToken);

// More of them than are kept.
void NewToken(benchmark::State& state) {
  Tokens tokens(1);
  std::vector<std::string> new_ones;
  for (int i = 0; i < 8; ++i) new_ones.push_back(tokens.Make("onboarding-" + std::to_string(i)));
  size_t next = 0;
  for (auto _ : state) {
    const std::string& token = new_ones[next++ % new_ones.size()];
    if (!tokens.verifier().Verify(token, TokenVerifier::WallClock::now())) {
      return state.SkipWithError("the token is not taken");
    }
  }
}
BENCHMARK(NewToken);

}  // namespace
}  // namespace idv

BENCHMARK_MAIN();
