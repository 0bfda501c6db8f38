#pragma once

#include <grpcpp/grpcpp.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/e2e/process.h"
#include "tests/e2e/sandbox.h"

namespace idv::e2e {

// A configuration that serves everything to whoever is local, for the sandbox's tenant `acme`; its
// key is in the environment of every Gateway. JSON is YAML: change what a test needs.
Json BasicConfig(const std::string& base_url);

// The same, but every call is one request at once: nothing waits, nor is kept, shared or repeated.
Json OneRequestPerCall(Json config);

// A running idv-gateway.
class Gateway {
 public:
  // `environment`: in addition to the test's own.
  explicit Gateway(const Json& config, const std::map<std::string, std::string>& environment = {});
  explicit Gateway(const Sandbox& sandbox,
                   const std::map<std::string, std::string>& environment = {})
      : Gateway(BasicConfig(sandbox.base_url()), environment) {}

  Process& process() { return process_; }
  const Process& process() const { return process_; }
  // Where it listens, in the configuration's order.
  const std::vector<std::string>& addresses() const { return addresses_; }
  // Of its pages, if the configuration has `listen.admin`.
  const std::string& admin_address() const { return admin_address_; }
  // Writes another configuration into the place of the one it was started with.
  void Reconfigure(const Json& config) const;
  // Waits until the text is in its log.
  bool IsLogged(const std::string& text) const;
  // Ends it in order and returns its exit code.
  std::optional<int> Stop();

 private:
  TempDir dir_;
  Process process_;
  std::vector<std::string> addresses_;
  std::string admin_address_;
};

// Its path.
std::string GatewayProgram();

// Starts idv-gateway with a configuration that need not be good. `environment`: as for a Gateway.
std::unique_ptr<Process> RunGateway(const std::string& config_file,
                                    std::vector<std::string> flags = {},
                                    const std::map<std::string, std::string>& environment = {});

// A connection of its own to the address.
std::shared_ptr<grpc::Channel> Connect(const std::string& address);

}  // namespace idv::e2e
