// idv-sandbox: a stand-in for the vendor's REST API. See README.md beside this file.

#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/ssl/context.hpp>
#include <chrono>
#include <csignal>
#include <exception>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "upstream/sandbox/address.h"
#include "upstream/sandbox/agenda.h"
#include "upstream/sandbox/api.h"
#include "upstream/sandbox/clock.h"
#include "upstream/sandbox/control.h"
#include "upstream/sandbox/courier.h"
#include "upstream/sandbox/duration.h"
#include "upstream/sandbox/fault_json.h"
#include "upstream/sandbox/faults.h"
#include "upstream/sandbox/flags.h"
#include "upstream/sandbox/image_storage.h"
#include "upstream/sandbox/journal.h"
#include "upstream/sandbox/publisher.h"
#include "upstream/sandbox/rate_limiter.h"
#include "upstream/sandbox/request_log.h"
#include "upstream/sandbox/server.h"
#include "upstream/sandbox/store.h"
#include "upstream/sandbox/tenants.h"
#include "upstream/sandbox/uuid.h"

namespace idv::sandbox {
namespace {

using boost::asio::ip::tcp;

constexpr int kCannotListen = 1;
constexpr int kBadArguments = 2;

// Says what is wrong, each problem in a line.
void Complain(const std::string& about, const std::vector<std::string>& problems) {
  for (const std::string& problem : problems) {
    std::cerr << "idv-sandbox: " << about << ": " << problem << '\n';
  }
}

// Nothing, after having said so, when it cannot be read.
std::optional<std::string> ReadFile(const std::string& file) {
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  if (stream) return text.str();
  std::cerr << "idv-sandbox: cannot read " << file << '\n';
  return std::nullopt;
}

// Nothing, after having said why, when the file is no good.
std::optional<Tenants> LoadTenants(const Flags& flags) {
  const std::string& file = flags.tenants_file;
  if (file.empty()) {
    return Tenants::Default(FindPlan(flags.plan), {flags.webhook_url, flags.webhook_secret});
  }
  const auto text = ReadFile(file);
  if (!text) return std::nullopt;
  auto parsed = Tenants::Parse(*text);
  if (auto* const tenants = std::get_if<Tenants>(&parsed)) return std::move(*tenants);
  Complain(file, std::get<std::vector<std::string>>(parsed));
  return std::nullopt;
}

// False, after having said why, when the file is no good.
bool AddFaults(const Flags& flags, Faults& faults) {
  const auto now = std::chrono::steady_clock::now();
  const auto latency = ParseDuration(flags.latency).value_or(std::chrono::milliseconds(0));
  if (latency.count() > 0) {
    Fault fault;
    fault.delay = latency;
    faults.Add(std::move(fault), now);
  }
  for (const std::string& prefix : flags.hang) {
    Fault fault;
    fault.kind = FaultKind::kHang;
    fault.path_prefix = prefix;
    faults.Add(std::move(fault), now);
  }
  for (const std::string& json : flags.faults) {
    faults.Add(std::get<Fault>(ParseFaultText(json)), now);  // checked by Describe()
  }
  if (flags.faults_file.empty()) return true;
  const auto text = ReadFile(flags.faults_file);
  if (!text) return false;
  auto parsed = ParseFaultFile(*text);
  if (const auto* const problems = std::get_if<std::vector<std::string>>(&parsed)) {
    Complain(flags.faults_file, *problems);
    return false;
  }
  for (Fault& fault : std::get<std::vector<Fault>>(parsed)) faults.Add(std::move(fault), now);
  return true;
}

// False, after having said why, when the files are no good.
bool LoadCertificate(const Flags& flags, boost::asio::ssl::context& tls) {
  boost::system::error_code error;
  error = tls.use_certificate_chain_file(flags.tls_certificate, error);
  if (error) {
    Complain(flags.tls_certificate, {error.message()});
    return false;
  }
  error = tls.use_private_key_file(flags.tls_key, boost::asio::ssl::context::pem, error);
  if (error) Complain(flags.tls_key, {error.message()});
  return !error;
}

// False, after having said why, when the file is no good.
bool OpenState(const Flags& flags, Journal& journal, Store& store) {
  if (flags.state_file.empty()) return true;
  const auto problem = journal.Open(flags.state_file, store);
  if (problem) Complain(flags.state_file, {*problem});
  return !problem;
}

// False, after having said why, when the file is no good.
bool TrustAuthorities(const Flags& flags, boost::asio::ssl::context& tls) {
  boost::system::error_code error;
  error = tls.set_default_verify_paths(error);  // of none there, none are trusted
  if (flags.webhook_ca.empty()) return true;
  error = tls.load_verify_file(flags.webhook_ca, error);
  if (error) Complain(flags.webhook_ca, {error.message()});
  return !error;
}

// A thousand connections are more than the usual soft limit allows.
void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int Run(const Flags& flags) {
  const auto tenants = LoadTenants(flags);
  if (!tenants) return kBadArguments;
  RaiseDescriptorLimit();

  Store store(RandomUuids(), flags.attempts_per_day);
  const bool has_tls = !flags.tls_certificate.empty();
  const ImageStorage images(has_tls ? "https" : "http", RandomUuids()());
  Api api(*tenants, store, images);
  Faults faults;
  if (!AddFaults(flags, faults)) return kBadArguments;
  faults.Keep();
  boost::asio::ssl::context tls(boost::asio::ssl::context::tls_server);
  if (has_tls && !LoadCertificate(flags, tls)) return kBadArguments;
  boost::asio::ssl::context webhook_tls(boost::asio::ssl::context::tls_client);
  if (!TrustAuthorities(flags, webhook_tls)) return kBadArguments;
  Journal journal;
  if (!OpenState(flags, journal, store)) return kBadArguments;
  RequestLog log;
  Clock clock;
  boost::asio::io_context io(1);
  Agenda agenda(io, clock);
  Courier courier(io, webhook_tls, clock, agenda);
  Publisher publisher({*tenants, store, journal, courier, agenda, clock}, RandomUuids());
  publisher.Resume();
  Control control({api, faults, log, clock, courier, publisher});
  Server server(io, {api, control, faults, log, clock, publisher, has_tls ? &tls : nullptr,
                     flags.max_body_bytes});

  boost::asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&io](const boost::system::error_code&, int) { io.stop(); });
  const auto address = ParseAddress(flags.listen).value_or(tcp::endpoint());
  if (const auto error = server.Listen(address)) {
    std::cerr << "idv-sandbox: cannot listen on " << flags.listen << ": " << error.message()
              << '\n';
    return kCannotListen;
  }
  std::cout << "listening on " << FormatAddress(server.Address()) << std::endl;
  io.run();
  return 0;
}

int Main(int argc, char** argv) {
  Flags flags;
  CLI::App app("A stand-in for the Kora IDV REST API.", "idv-sandbox");
  Describe(app, flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kBadArguments;
  }
  try {
    return Run(flags);
  } catch (const std::exception& error) {
    std::cerr << "idv-sandbox: " << error.what() << '\n';
    return kCannotListen;
  }
}

}  // namespace
}  // namespace idv::sandbox

int main(int argc, char** argv) { return idv::sandbox::Main(argc, argv); }
