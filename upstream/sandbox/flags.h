#ifndef UPSTREAM_SANDBOX_FLAGS_H_
#define UPSTREAM_SANDBOX_FLAGS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "upstream/sandbox/body_sink.h"
#include "upstream/sandbox/store.h"
#include "upstream/sandbox/tenants.h"

namespace CLI {
class App;
}

namespace idv::sandbox {

// What may be said on the command line; README.md says what it means. Files are not read yet.
struct Flags {
  std::string listen = "127.0.0.1:8081";
  std::string tenants_file;
  std::string plan;
  std::string webhook_url;
  std::string webhook_secret = WebhookSettings().secret;
  std::string webhook_ca;
  int attempts_per_day = Store::kAttemptsPerDay;
  std::uint64_t max_body_bytes = BodySink::kMaxBytes;
  std::string latency = "0ms";
  std::vector<std::string> hang;
  std::vector<std::string> faults;
  std::string faults_file;
  std::string state_file;
  std::string tls_certificate;
  std::string tls_key;
};

// Lets `app` read them, and refuse what is none of them.
void Describe(CLI::App& app, Flags& flags);

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_FLAGS_H_
