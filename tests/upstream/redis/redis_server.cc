#include "tests/upstream/redis/redis_server.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/free_port.h"

namespace idv {
namespace {

// Debian's package redis-server starts a service at every boot, redis-tools does not; and one
// program is in both, which looks at the name that it is called by.
std::string Program(const e2e::TempDir& folder) {
  const std::string link = folder.Path("redis-server");
  std::filesystem::create_symlink("/usr/bin/redis-check-rdb", link);
  return link;
}

std::vector<std::string> Arguments(int port, int plaintext_port, const e2e::TempDir& folder,
                                   const std::vector<std::string>& flags) {
  std::vector<std::string> arguments = {
      "--port",        std::to_string(plaintext_port), "--bind", "127.0.0.1", "--save", "", "--dir",
      folder.Path(".")};
  if (plaintext_port == 0) {
    arguments.insert(arguments.end(), {"--tls-port", std::to_string(port)});
  }
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  return arguments;
}

}  // namespace

RedisServer::RedisServer(const std::vector<std::string>& flags) : RedisServer(FreePort(), flags) {}

RedisServer::RedisServer(int port, const std::vector<std::string>& flags)
    : RedisServer(port, port, flags) {}

RedisServer::RedisServer(const TestCertificates& certificates)
    : RedisServer(FreePort(), 0,
                  {"--tls-cert-file", certificates.cert_file(), "--tls-key-file",
                   certificates.key_file(), "--tls-ca-cert-file", certificates.ca_file()}) {}

RedisServer::RedisServer(int port, int plaintext_port, const std::vector<std::string>& flags)
    : port_(port), process_(Program(folder_), Arguments(port, plaintext_port, folder_, flags)) {
  const bool is_ready = e2e::WaitUntil(
      [this] { return process_.Out().find("Ready to accept connections") != std::string::npos; });
  if (!is_ready) ADD_FAILURE() << "redis-server does not serve: " << process_.Out();
}

std::string RedisServer::Ask(const std::vector<std::string>& command) const {
  std::vector<std::string> arguments = {"-p", std::to_string(port_)};
  arguments.insert(arguments.end(), command.begin(), command.end());
  e2e::Process client("/usr/bin/redis-cli", arguments);
  client.Wait();
  return client.Out();
}

}  // namespace idv
