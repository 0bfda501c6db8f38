#include "tests/e2e/bao.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include "tests/free_port.h"

namespace idv::e2e {
namespace {

std::vector<std::string> Arguments(bool with_tls, int port, const std::string& folder) {
  std::vector<std::string> arguments = {"server", "-dev", "-dev-no-store-token",
                                        "-dev-root-token-id=" + Bao::root_token(),
                                        "-dev-listen-address=127.0.0.1:" + std::to_string(port)};
  if (with_tls) arguments.insert(arguments.end(), {"-dev-tls", "-dev-tls-cert-dir=" + folder});
  return arguments;
}

}  // namespace

bool Bao::IsInstalled() { return access(IDV_BAO_PATH, X_OK) == 0; }

Bao::Bao(bool with_tls, int port)
    : with_tls_(with_tls),
      port_(port == 0 ? FreePort() : port),
      process_(IDV_BAO_PATH, Arguments(with_tls, port_, dir_.Path(".")),
               {{"HOME", dir_.Path(".")}}) {
  const bool is_ready = WaitUntil(
      [&] {
        const auto health = Ask("sys/health", std::nullopt);
        return health && health->status == 200;
      },
      std::chrono::seconds(30));
  if (!is_ready) ADD_FAILURE() << "bao does not serve: " << process_.Out() << process_.Err();
}

std::string Bao::address() const {
  return (with_tls_ ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port_);
}

Json Bao::Write(const std::string& path, const Json& body) {
  const auto response = Ask(path, body);
  if (!response || response->status / 100 != 2) {
    ADD_FAILURE() << "bao refuses " << path << ": "
                  << (response ? response->body : "it does not answer");
    return {};
  }
  return Json::parse(response->body, nullptr, /*allow_exceptions=*/false);
}

void Bao::Put(const std::string& name, const std::string& field, const std::string& value) {
  Write("secret/data/" + name, {{"data", {{field, value}}}});
}

void Bao::AddPolicy(const std::string& name) {
  Write("sys/policies/acl/" + name,
        {{"policy", "path \"secret/data/*\" { capabilities = [\"read\"] }"}});
}

std::string Bao::Token(const std::string& policy, const std::string& time) {
  Json answer = Write("auth/token/create", {{"policies", Json::array({policy})}, {"ttl", time}});
  return answer["auth"]["client_token"];
}

std::optional<FetchResponse> Bao::Ask(const std::string& path, const std::optional<Json>& body) {
  FetchRequest request{.url = address() + "/v1/" + path,
                       .headers = {{"X-Vault-Token", root_token()}},
                       .json = std::nullopt,
                       .ca_file = ca_file()};
  if (body) request.json = body->dump();
  absl::StatusOr<FetchResponse> response = fetcher_.Fetch(request);
  if (!response.ok()) return std::nullopt;
  return *std::move(response);
}

}  // namespace idv::e2e
