#include <absl/cleanup/cleanup.h>
#include <absl/synchronization/mutex.h>
#include <curl/curl.h>
#include <google/protobuf/util/json_util.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <chrono>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "auth/file_watcher.h"
#include "auth/read_file.h"
#include "auth/tls_files.h"
#include "gateway/config.h"
#include "gateway/config_files.h"
#include "gateway/credentials.h"
#include "gateway/hurry.h"
#include "gateway/library_logs.h"
#include "gateway/live_config.h"
#include "gateway/method.h"
#include "gateway/pages.h"
#include "gateway/processors.h"
#include "gateway/server.h"
#include "gateway/services.h"
#include "gateway/surroundings.h"
#include "metrics/admin_server.h"
#include "metrics/log.h"
#include "metrics/span_exporter.h"

namespace {

constexpr int kBadConfig = 2;

struct Flags {
  std::string config;
  bool check = false;
  bool print_config = false;
};

int Refuse(const std::string& what, const absl::Status& status) {
  std::cerr << what << ":\n" << status.message() << "\n";
  return kBadConfig;
}

// For whoever looks at spans of several gateways: in Kubernetes, the pod's name.
std::string InstanceName() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

int PrintConfig(const idv::LoadedConfig& loaded) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(loaded.effective, &text, options).ok()) return 1;
  std::cout << text;
  return 0;
}

// The signals that end the gateway or make it read files again, kept from every thread: main waits
// for them.
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

// A core would hold the keys and the callers' images. The limit forbids files only: a core that the
// kernel pipes to a program (core(5)) is as large as it likes, unless the process is not dumpable.
// Then others of the same user cannot read its memory either.
void ForbidCores() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
#ifndef IDV_INSTRUMENTED  // LeakSanitizer traces the process, which would be forbidden
  prctl(PR_SET_DUMPABLE, 0);
#endif
}

// Ends the process if an orderly shutdown does not, some time after its grace.
void ExitAfter(std::chrono::milliseconds time, const idv::Log& log) {
  std::thread([time, &log] {
    std::this_thread::sleep_for(time);
    log.Error("the shutdown did not end in time; giving up");
    log.Flush();
    _exit(1);
  }).detach();
}

// Cuts the shutdown short when its user asks again.
std::shared_ptr<idv::Hurry> HurryOnSignal(const sigset_t& signals) {
  auto hurry = std::make_shared<idv::Hurry>();
  std::thread([signals, hurry] {
    int signal = SIGHUP;
    while (signal == SIGHUP) sigwait(&signals, &signal);
    hurry->Now();
  }).detach();
  return hurry;
}

// Every call may hold a connection on both sides.
void AllowManyDescriptors() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

idv::Credentials::Reports ReportsTo(const idv::Log& log) {
  return {.on_news = [&log](const std::string& what) { log.Info("replaced", {{"what", what}}); },
          .on_problem =
              [&log](const absl::Status& problem) {
                log.Error("something cannot be used; what was there before, if anything, is kept",
                          {{"detail", std::string(problem.message())}});
              }};
}

idv::Server::Reports ReportsOfCallsTo(const idv::Log& log, idv::SpanExporter* spans) {
  return {
      .drift =
          [&](const google::protobuf::MethodDescriptor& method, const idv::Drift& drift) {
            log.Warning(
                "the upstream sent something this version does not know",
                {{"method", method.full_name()}, {"unknown", idv::DriftCounter::NameOf(drift)}});
          },
      .key =
          [&](const idv::Tenant& tenant, bool is_refused) {
            if (is_refused) {
              log.Error("the upstream refuses the tenant's API key", {{"tenant", tenant.name}});
            } else {
              log.Info("the upstream takes the tenant's API key again", {{"tenant", tenant.name}});
            }
          },
      .accounts = {.problem =
                       [&](const absl::Status& problem) {
                         log.Error("answers cannot be kept for a restart",
                                   {{"detail", std::string(problem.message())}});
                       },
                   .redis =
                       [&](const absl::Status& status) {
                         if (status.ok()) {
                           log.Info("Redis is there: all gateways count together", {});
                         } else {
                           log.Error("Redis is out of reach: only what this gateway spends counts",
                                     {{"detail", std::string(status.message())}});
                         }
                       }},
      .log = &log,
      .spans = spans};
}

// Null if there is no collector.
absl::StatusOr<std::unique_ptr<idv::SpanExporter>> StartExporter(const idv::Config& config,
                                                                 const idv::Log& log) {
  if (config.tracing.otlp_endpoint.empty()) return nullptr;
  auto exporter =
      idv::SpanExporter::Start({.collector = {.endpoint = config.tracing.otlp_endpoint,
                                              .service_name = "idv-gateway",
                                              .service_version = IDV_VERSION,
                                              .service_instance = InstanceName()},
                                .on_problem = [&log](const std::string& problem) {
                                  log.Warning("spans were dropped", {{"detail", problem}});
                                }});
  if (exporter.ok()) return exporter;
  return absl::InvalidArgumentError("tracing.otlp_endpoint: " +
                                    std::string(exporter.status().message()));
}

idv::Surroundings SurroundingsOf(const idv::Config& config, const idv::Server& server,
                                 const idv::Credentials& credentials, const idv::Log& log,
                                 const idv::SpanExporter* spans) {
  using Certificates = std::vector<std::pair<std::string, idv::Surroundings::WallTime>>;
  const std::string& shown = config.upstream.http.cert_file;
  const char* const transport = !config.tls                          ? "plaintext"
                                : config.tls->client_ca_file.empty() ? "tls"
                                                                     : "mutual tls";
  return {.version = IDV_VERSION,
          .started_at = std::chrono::system_clock::now(),
          .grpc_addresses = server.addresses(),
          .admin_address = config.admin_address,
          .transport = transport,
          .upstream = config.upstream.base_url,
          .shards = config.shards,
          .can_trace = idv::SpanExporter::IsBuiltIn(),
          .certificates =
              [tls = credentials.keys().tls, shown] {
                Certificates certificates;
                const auto add = [&](const char* name, const auto& expiry) {
                  if (expiry) certificates.emplace_back(name, *expiry);
                };
                if (tls != nullptr) add("listen.tls.cert_file", tls->expiry());
                if (!shown.empty()) add("upstream.cert_file", idv::ExpiryOfFile(shown));
                return certificates;
              },
          .dropped_lines = [&log] { return log.dropped(); },
          .exported_spans = [spans] { return spans != nullptr ? spans->exported() : 0; },
          .dropped_spans = [spans] { return spans != nullptr ? spans->dropped() : 0; }};
}

void WarnOfVariables(const idv::Config& config, const idv::Log& log) {
  for (const idv::Config::Tenant& tenant : config.tenants) {
    if (tenant.api_key.kind != idv::SecretSource::Kind::kEnvironment) continue;
    log.Warning("an API key in an environment variable cannot be replaced while the gateway runs",
                {{"tenant", tenant.name}, {"variable", tenant.api_key.place}});
  }
}

int Serve(const std::string& path, const idv::LoadedConfig& loaded, const idv::Methods& methods,
          idv::Credentials& credentials, const sigset_t& signals, idv::Log& log,
          idv::SpanExporter* spans) {
  const idv::Config& config = loaded.config;
  auto server =
      idv::Server::Start(config, methods, credentials.keys(), ReportsOfCallsTo(log, spans));
  if (!server.ok()) {
    log.Error("cannot start", {{"detail", std::string(server.status().message())}});
    return 1;
  }
  for (const std::string& address : (*server)->addresses()) {
    std::cout << "listening on grpc " << address << std::endl;
  }
  idv::LiveConfig live(path, loaded, methods, credentials, **server, log);
  const idv::Surroundings around = SurroundingsOf(config, **server, credentials, log, spans);
  std::unique_ptr<idv::AdminServer> admin;
  if (!config.admin_address.empty()) {
    auto started =
        idv::AdminServer::Start(config.admin_address, idv::PagesOf(**server, live, around));
    if (!started.ok()) {
      log.Error("cannot start", {{"detail", std::string(started.status().message())}});
      return 1;
    }
    admin = *std::move(started);
    std::cout << "listening on admin " << admin->address() << std::endl;
  }
  log.Info("serving", {{"version", IDV_VERSION}, {"shards", config.shards}});

  idv::FileWatcher watcher(live.files(), {}, [&] {
    live.Reload();
    return live.files();
  });
  int signal = SIGHUP;
  while (signal == SIGHUP) {
    sigwait(&signals, &signal);
    if (signal == SIGHUP) watcher.Look();
  }
  log.Info("shutting down", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
  const idv::DrainTimes drain = live.drain();
  ExitAfter(drain.settle + drain.stream_grace + std::chrono::seconds(10), log);
  (*server)->Shutdown(drain, *HurryOnSignal(signals));
  log.Info("stopped");
  return 0;
}

int Run(const Flags& flags) {
  const auto methods = idv::Methods::Compile(idv::ServedServices());
  if (!methods.ok()) return Refuse("the RPCs are annotated wrongly", methods.status());
  const auto text = idv::ReadFile(flags.config, idv::kMaxConfigBytes);
  if (!text.ok()) return Refuse("no configuration", text.status());
  const auto loaded = idv::LoadConfig(*text, methods->Names(), idv::UsableProcessors());
  if (!loaded.ok()) return Refuse(flags.config, loaded.status());
  if (flags.print_config) return PrintConfig(*loaded);
  if (const absl::Status files = idv::CheckFiles(loaded->config); !files.ok()) {
    return Refuse(flags.config, files);
  }
  // Before there is another thread.
  const sigset_t signals = flags.check ? sigset_t{} : BlockSignals();
  // Never destroyed: gRPC's threads may still log when main ends.
  static idv::Log& log = *new idv::Log;
  const auto written = absl::MakeCleanup([&] { log.Flush(); });
  log.SetLevel(loaded->config.log_level);
  const auto credentials =
      idv::Credentials::Load(loaded->config, ReportsTo(log), /*strict=*/flags.check);
  if (!credentials.ok()) return Refuse(flags.config, credentials.status());
  const auto spans = StartExporter(loaded->config, log);
  if (!spans.ok()) return Refuse(flags.config, spans.status());
  if (flags.check) {
    std::cout << flags.config << " is good\n";
    return 0;
  }
  WarnOfVariables(loaded->config, log);
  idv::RouteLibraryLogsTo(log);
  return Serve(flags.config, *loaded, *methods, **credentials, signals, log, spans->get());
}

}  // namespace

int main(int argc, char** argv) {
  // Debian's Abseil looks for deadlocks of gRPC's mutexes at run time, at 2 % of a call.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  ForbidCores();
  AllowManyDescriptors();
  curl_global_init(CURL_GLOBAL_DEFAULT);

  CLI::App app(
      "Serves the Kora IDV API over gRPC: typed, bounded, and with the vendor's keys kept here.",
      "idv-gateway");
  app.set_version_flag("--version",
                       std::string("idv-gateway " IDV_VERSION) +
                           (idv::SpanExporter::IsBuiltIn()
                                ? ""
                                : "\nbuilt without opentelemetry-cpp: it exports no traces"));
  Flags flags;
  app.add_option("--config", flags.config, "The configuration, in YAML or JSON")->required();
  app.add_flag("--check", flags.check,
               "Only check the configuration and that the files and secrets it names can be read; "
               "exit 0 or 2");
  app.add_flag("--print-config", flags.print_config,
               "Only print the configuration with all defaults, in JSON; secrets are not read");
  app.footer(
      "SIGTERM and SIGINT end it in order; a second one makes it hurry. SIGHUP makes it read the "
      "configuration, keys and certificates again, as it does when their files change. Exit codes: "
      "0 ended in order, 1 could not serve, 2 bad flags or configuration.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kBadConfig;
  }
  return Run(flags);
}
