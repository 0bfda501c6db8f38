// The program: its flags, its exit codes, how it starts, idles and ends, and what it gives away.

#include <gmock/gmock.h>

#include <chrono>
#include <csignal>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/e2e/call.h"
#include "tests/e2e/gateway.h"
#include "tests/e2e/sandbox.h"
#include "tests/e2e/steps.h"
#include "tests/upstream/certificates.h"

namespace idv::e2e {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr char kSomeUrl[] = "http://127.0.0.1:9/api/v1/idv";

// The outcome of a run that ends by itself.
class RunTest : public testing::Test {
 protected:
  void Run(const Json& config, std::vector<std::string> flags = {}) {
    Start(dir_.Write("gateway.yaml", config.dump(2)), std::move(flags));
  }
  void Start(const std::string& file, std::vector<std::string> flags) {
    const auto process = RunGateway(file, std::move(flags));
    exit_code_ = process->Wait();
    out_ = process->Out();
    err_ = process->Err();
  }

  const TempDir dir_;
  std::optional<int> exit_code_;
  std::string out_;
  std::string err_;
};

TEST_F(RunTest, CheckAcceptsAGoodConfiguration) {
  Run(BasicConfig(kSomeUrl), {"--check"});

  EXPECT_EQ(exit_code_, 0);
  EXPECT_THAT(out_, HasSubstr("is good"));
  EXPECT_THAT(err_, IsEmpty());
}

TEST_F(RunTest, CheckRefusesAKeyThatCannotBeRead) {
  Json config = BasicConfig(kSomeUrl);
  config["tenants"].push_back({{"name", "globex"},
                               {"tenant_id", "11111111-1111-4111-8111-111111111111"},
                               {"api_key", {{"file", dir_.Path("missing")}}}});
  config["tenants"].push_back({{"name", "initech"},
                               {"tenant_id", "22222222-2222-4222-8222-222222222222"},
                               {"api_key", {{"env", "IDV_E2E_NOT_SET"}}}});

  Run(config, {"--check"});

  EXPECT_EQ(exit_code_, 2);
  EXPECT_THAT(err_, HasSubstr("tenants[1].api_key: " + dir_.Path("missing")));
  EXPECT_THAT(err_, HasSubstr("tenants[2].api_key: the environment variable IDV_E2E_NOT_SET"));
  EXPECT_THAT(out_, IsEmpty());
}

TEST_F(RunTest, NeitherChecksNorStartsWithAClientCertificateThatCannotBeUsed) {
  const TestCertificates certificates;
  certificates.Issue("old", "", "-startdate 20000101000000Z -enddate 20000201000000Z");
  const std::string cert = certificates.cert_file();
  const std::string old = certificates.cert_file("old");
  const std::string other_key = certificates.key_file("old");
  Json config = BasicConfig("https://127.0.0.1:9/api/v1/idv");
  const auto with = [&](const std::string& cert_file, const std::string& key_file) {
    config["upstream"]["cert_file"] = cert_file;
    config["upstream"]["key_file"] = key_file;
    return config;
  };

  Run(with(cert, certificates.key_file()), {"--check"});
  EXPECT_EQ(exit_code_, 0) << err_;

  for (const std::vector<std::string>& flags : {std::vector<std::string>{}, {"--check"}}) {
    Run(with(dir_.Path("missing"), other_key), flags);
    EXPECT_EQ(exit_code_, 2);
    EXPECT_THAT(err_, HasSubstr("upstream.cert_file: " + dir_.Path("missing")));

    Run(with(cert, other_key), flags);
    EXPECT_EQ(exit_code_, 2);
    EXPECT_THAT(err_, HasSubstr("upstream.cert_file: " + other_key + " is not the key"));

    Run(with(old, other_key), flags);
    EXPECT_EQ(exit_code_, 2);
    EXPECT_THAT(err_, HasSubstr("upstream.cert_file: " + old + " holds a certificate that has"));
    EXPECT_THAT(out_, IsEmpty());
  }
}

TEST_F(RunTest, DoesNotStartWithoutAKey) {
  Json config = BasicConfig(kSomeUrl);
  config["tenants"][0]["api_key"] = {{"file", dir_.Write("empty", "\n")}};

  Run(config);

  EXPECT_EQ(exit_code_, 2);
  EXPECT_THAT(err_, HasSubstr("tenants[0].api_key"));
  EXPECT_THAT(out_, IsEmpty());
}

TEST_F(RunTest, PrintConfigShowsTheDefaultsAndNoSecret) {
  Run(BasicConfig(kSomeUrl), {"--print-config"});

  EXPECT_EQ(exit_code_, 0);
  const Json printed = Json::parse(out_, nullptr, /*allow_exceptions=*/false);
  EXPECT_EQ(printed["upstream"]["base_url"], kSomeUrl);
  EXPECT_EQ(printed["upstream"]["connect_timeout"], "3s");
  EXPECT_EQ(printed["limits"]["max_image"], "10MiB");
  EXPECT_EQ(printed["listen"]["reflection"], true);
  EXPECT_THAT(out_ + err_, Not(HasSubstr(kApiKey)));
}

TEST_F(RunTest, WhatPrintConfigPrintsIsAGoodConfiguration) {
  Run(BasicConfig(kSomeUrl), {"--print-config"});
  const std::string printed = out_;

  Start(dir_.Write("printed.json", printed), {"--check"});

  EXPECT_EQ(exit_code_, 0) << err_;
  Start(dir_.Path("printed.json"), {"--print-config"});
  EXPECT_EQ(out_, printed);
}

TEST_F(RunTest, VersionAndHelpEndWell) {
  Start("", {"--version"});
  EXPECT_EQ(exit_code_, 0);
  EXPECT_THAT(out_, StartsWith("idv-gateway "));

  Start("", {"--help"});
  EXPECT_EQ(exit_code_, 0);
  for (const char* flag : {"--config", "--check", "--print-config", "--version"}) {
    EXPECT_THAT(out_, HasSubstr(flag));
  }
}

TEST_F(RunTest, BadFlagsAreRefused) {
  for (const std::vector<std::string>& flags :
       {std::vector<std::string>{}, {"--confg", "x"}, {"--config"}, {"--config", "x", "y"}}) {
    Start("", flags);

    EXPECT_EQ(exit_code_, 2) << testing::PrintToString(flags);
    EXPECT_THAT(err_, Not(IsEmpty()));
  }
}

TEST_F(RunTest, AConfigurationThatIsNotThereIsRefused) {
  Start(dir_.Path("missing.yaml"), {});

  EXPECT_EQ(exit_code_, 2);
  EXPECT_THAT(err_, HasSubstr(dir_.Path("missing.yaml")));
}

TEST_F(RunTest, EveryUnknownKeyIsReportedAtOnceWithItsPath) {
  Json config = BasicConfig(kSomeUrl);
  config["shrads"] = 2;
  config["listen"]["tsl"] = Json::object();
  config["tenants"][0]["planet"] = "earth";
  config["callers"][0]["method"] = {"*"};

  Run(config, {"--check"});

  EXPECT_EQ(exit_code_, 2);
  EXPECT_THAT(err_, AllOf(HasSubstr("shrads: unknown key"), HasSubstr("listen.tsl: unknown key"),
                          HasSubstr("tenants[0].planet: unknown key"),
                          HasSubstr("callers[0].method: unknown key")));
}

TEST_F(RunTest, EveryBadValueIsReportedAtOnceWithItsPath) {
  Run(Json{{"listen", {{"grpc", {"0.0.0.0:8443", "127.0.0.1:8443", "unix:relative"}}}},
           {"upstream", {{"base_url", "http://idv.example.test/"}, {"connect_timeout", "soon"}}},
           {"tenants",
            {{{"name", "Acme Inc"}, {"tenant_id", "7"}},
             {{"name", "globex"},
              {"tenant_id", "11111111-1111-4111-8111-111111111111"},
              {"api_key", {{"env", "A"}, {"file", "b"}}}}}},
           {"callers",
            {{{"identity", "local"}, {"tenants", {"nobody"}}, {"methods", {"kora.idv.v1.X/Y"}}}}},
           {"limits", {{"max_image", "10 elephants"}, {"default_deadline", "10m"}}},
           {"drain", {{"unary_grace", "-1s"}}},
           {"shards", 65}},
      {"--check"});

  EXPECT_EQ(exit_code_, 2);
  for (const char* path :
       {"listen.grpc[0]: ", "listen.grpc[2]: ", "upstream.base_url: ", "upstream.connect_timeout: ",
        "tenants[0].name: ", "tenants[0].tenant_id: ", "tenants[0].api_key: ",
        "tenants[1].api_key.", "callers[0]: no tenant is called 'nobody'",
        "callers[0]: no method is called 'kora.idv.v1.X/Y'",
        "limits.max_image: ", "limits.default_deadline: ", "drain.unary_grace: ", "shards: "}) {
    EXPECT_THAT(err_, HasSubstr(path));
  }
  EXPECT_THAT(err_, Not(HasSubstr("listen.grpc[1]")));
}

TEST_F(RunTest, WhatIsNoYamlIsRefused) {
  Start(dir_.Write("bad.yaml", "listen: [unclosed\n"), {"--check"});
  EXPECT_EQ(exit_code_, 2);
  EXPECT_THAT(err_, HasSubstr("line "));

  Start(dir_.Write("empty.yaml", ""), {"--check"});
  EXPECT_EQ(exit_code_, 2);
  EXPECT_THAT(err_, AllOf(HasSubstr("listen.grpc: "), HasSubstr("tenants: "),
                          HasSubstr("callers: "), HasSubstr("upstream.base_url: ")));
}

TEST_F(RunTest, AnAddressInUseIsNamed) {
  Gateway first(BasicConfig(kSomeUrl));
  Json config = BasicConfig(kSomeUrl);
  config["listen"]["grpc"] = {first.addresses()[0]};

  Run(config);

  EXPECT_EQ(exit_code_, 1);
  EXPECT_THAT(err_, HasSubstr(first.addresses()[0]));
  EXPECT_THAT(out_, IsEmpty());
}

Json DrainConfig(const Sandbox& sandbox, const std::string& grace) {
  Json config = BasicConfig(sandbox.base_url());
  config["drain"]["unary_grace"] = grace;
  return config;
}

TEST(ProcessTest, EndsAtOnceWhenItsCallersHaveGone) {
  const Sandbox sandbox;
  for (const int signal : {SIGTERM, SIGINT}) {
    Gateway gateway(sandbox);
    Create(Client(Connect(gateway.addresses()[0])), "cust-1");

    gateway.process().Signal(signal);

    EXPECT_EQ(gateway.process().Wait(milliseconds(2000)), 0);
    EXPECT_THAT(gateway.process().Err(), HasSubstr("stopped"));
  }
}

// Between its calls such a caller reads nothing, so that it does not hear that it should go.
TEST(ProcessTest, EndsWithinTheGraceThoughACallersConnectionStaysOpen) {
  const Sandbox sandbox;
  Gateway gateway(DrainConfig(sandbox, "500ms"));
  const Client client(Connect(gateway.addresses()[0]));
  Create(client, "cust-1");

  gateway.process().Signal(SIGTERM);

  EXPECT_EQ(gateway.process().Wait(milliseconds(8000)), 0);
}

TEST(ProcessTest, EndsWellWhenNobodyEverCalled) {
  for (const int shards : {1, 2}) {
    Json config = BasicConfig(kSomeUrl);
    config["shards"] = shards;
    Gateway gateway(config);

    EXPECT_EQ(gateway.Stop(), 0);
  }
}

TEST(ProcessTest, LetsACallUnderWaySucceedBeforeItEnds) {
  const Sandbox sandbox;
  Gateway gateway(sandbox);
  const Client client(Connect(gateway.addresses()[0]));
  const std::string id = Create(client, "cust-1").id();
  sandbox.AddFault({{"kind", "latency"}, {"milliseconds", 300}});
  PendingGet call(client, id);
  sandbox.AwaitRequest("/verifications/" + id, "pending");

  gateway.process().Signal(SIGTERM);

  const Outcome outcome = call.Finish();
  EXPECT_TRUE(outcome.ok()) << testing::PrintToString(outcome);
  EXPECT_EQ(gateway.process().Wait(milliseconds(2000)), 0);
}

TEST(ProcessTest, EndsACallThatOutlastsTheGrace) {
  const Sandbox sandbox;
  Gateway gateway(DrainConfig(sandbox, "500ms"));
  const Client client(Connect(gateway.addresses()[0]));
  sandbox.AddFault({{"kind", "hang"}});
  PendingGet call(client, "x");
  sandbox.AwaitRequest("/verifications/x", "pending");

  const auto start = steady_clock::now();
  gateway.process().Signal(SIGTERM);

  EXPECT_EQ(call.Finish().reason(), "GATEWAY_DRAINING");
  EXPECT_EQ(gateway.process().Wait(milliseconds(5000)), 0);
  EXPECT_GE(steady_clock::now() - start, milliseconds(450));
  EXPECT_LE(steady_clock::now() - start, milliseconds(2500));
  sandbox.AwaitRequest("/verifications/x", "aborted");
}

TEST(ProcessTest, ServesAUnixSocketBesideTcp) {
  const Sandbox sandbox;
  const TempDir dir;
  Json config = BasicConfig(sandbox.base_url());
  config["listen"]["grpc"] = {"unix:" + dir.Path("gateway.sock"), "127.0.0.1:0"};
  Gateway gateway(config);

  EXPECT_EQ(gateway.addresses()[0], "unix:" + dir.Path("gateway.sock"));
  for (const std::string& address : gateway.addresses()) {
    EXPECT_EQ(Create(Client(Connect(address)), "cust-1").external_id(), "cust-1") << address;
  }
  EXPECT_EQ(gateway.Stop(), 0);
}

TEST(ProcessTest, LetsNoSecondGatewayTakeItsUnixSocket) {
  const TempDir dir;
  Json config = BasicConfig(kSomeUrl);
  config["listen"]["grpc"] = {"unix:" + dir.Path("gateway.sock")};
  Gateway first(config);

  const auto second = RunGateway(dir.Write("second.yaml", config.dump()));

  EXPECT_EQ(second->Wait(), 1);
  EXPECT_THAT(second->Err(), HasSubstr("another gateway listens there"));
  EXPECT_TRUE(Connect(first.addresses()[0])->GetState(false) == GRPC_CHANNEL_READY);
  EXPECT_EQ(first.Stop(), 0);
}

TEST(ProcessTest, HurriesAtASecondSignal) {
  Json config = BasicConfig(kSomeUrl);
  config["drain"] = {{"settle", "1h"}, {"unary_grace", "1h"}};
  Gateway gateway(config);

  gateway.process().Signal(SIGINT);
  EXPECT_TRUE(WaitUntil(
      [&] { return gateway.process().Err().find("shutting down") != std::string::npos; }));
  gateway.process().Signal(SIGINT);

  EXPECT_EQ(gateway.process().Wait(), 0);
}

TEST(ProcessTest, GivesNoSecretAway) {
  const Sandbox sandbox;
  const TempDir dir;
  constexpr char kFileKey[] = "sk_from_a_file_0123456789";
  Json config = BasicConfig(sandbox.base_url());
  config["callers"][0]["tenants"] = {"acme", "globex"};
  config["tenants"].push_back({{"name", "globex"},
                               {"tenant_id", "11111111-1111-4111-8111-111111111111"},
                               {"api_key", {{"file", dir.Write("key", kFileKey)}}}});
  config["drain"]["unary_grace"] = "500ms";
  Gateway gateway(config, Transparent());
  const Client client(Connect(gateway.addresses()[0]));
  kora::idv::v1::GetVerificationRequest request;
  request.set_verification_id("x");
  using Stub = kora::idv::v1::VerificationService::Stub;

  const auto not_found =
      client.Call(&Stub::GetVerification, request, {.metadata = {{"x-idv-tenant", "acme"}}});
  const auto refused =
      client.Call(&Stub::GetVerification, request, {.metadata = {{"x-idv-tenant", "globex"}}});

  EXPECT_EQ(not_found.reason(), "VERIFICATION_NOT_FOUND");
  EXPECT_EQ(refused.reason(), "UPSTREAM_CREDENTIAL_REJECTED");
  const std::string environment = ProcFile(gateway.process().pid(), "environ");
  ASSERT_THAT(environment, HasSubstr("PATH="));
  EXPECT_THAT(environment, Not(HasSubstr(kApiKey)));
  EXPECT_EQ(gateway.Stop(), 0);
  const std::string said = gateway.process().Out() + gateway.process().Err() +
                           not_found.status.error_message() + not_found.status.error_details() +
                           refused.status.error_message() + refused.status.error_details();
  EXPECT_THAT(said, Not(HasSubstr(kApiKey)));
  EXPECT_THAT(said, Not(HasSubstr(kFileKey)));
}

TEST(ProcessTest, LetsNoCallerFillTheLog) {
  const Sandbox sandbox;
  Gateway gateway(sandbox);
  kora::idv::v1::VerificationService::Stub stub(Connect(gateway.addresses()[0]));
  constexpr size_t kCalls = 300;
  const auto start = steady_clock::now();

  for (size_t i = 0; i < kCalls; ++i) {
    grpc::ClientContext context;
    context.set_compression_algorithm(GRPC_COMPRESS_GZIP);  // gRPC reports an error for each
    kora::idv::v1::GetVerificationRequest request;
    request.set_verification_id(std::string(1000, 'x'));
    kora::idv::v1::Verification response;
    EXPECT_EQ(stub.GetVerification(&context, request, &response).error_code(),
              grpc::StatusCode::UNIMPLEMENTED);
  }

  const auto seconds = std::chrono::ceil<std::chrono::seconds>(steady_clock::now() - start).count();
  const std::string log = gateway.process().Err();
  size_t lines = 0;
  for (size_t at = 0; (at = log.find("gRPC library", at)) != std::string::npos; ++at) ++lines;
  EXPECT_GE(lines, 1U);
  EXPECT_LE(lines, 11U * static_cast<size_t>(seconds + 1));
  EXPECT_LT(lines, kCalls / 3);
}

TEST(ProcessTest, LogsOneJsonObjectALine) {
  const Sandbox sandbox;
  Gateway gateway(sandbox);
  EXPECT_EQ(gateway.Stop(), 0);

  std::istringstream lines(gateway.process().Err());
  for (std::string line; std::getline(lines, line);) {
    const Json entry = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    EXPECT_TRUE(entry.contains("time") && entry.contains("level") && entry.contains("message"))
        << line;
  }
}

TEST(IdleTest, UsesNoProcessorTimeWhileNobodyCalls) {
  const Sandbox sandbox;
  Gateway gateway(sandbox);
  const pid_t pid = gateway.process().pid();
  // An open connection of a caller, and a kept one to the upstream.
  const Client client(Connect(gateway.addresses()[0]));
  Create(client, "cust-1");
  long ticks = 0;

  // What the call above has left to do may fall into the first try.
  for (int tries = 0; tries < 2; ++tries) {
    const long before = CpuTicks(pid);
    std::this_thread::sleep_for(std::chrono::seconds(2));
    ticks = CpuTicks(pid) - before;
    if (ticks <= 2) break;
  }

  EXPECT_LE(ticks, 2);
}

}  // namespace
}  // namespace idv::e2e
