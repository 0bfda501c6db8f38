// What the gateway gives away of its keys and of its callers' data: nothing, wherever one looks.

#include <absl/strings/ascii.h>
#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "auth/fetch.h"
#include "kora/idv/v1/document_service.grpc.pb.h"
#include "kora/idv/v1/liveness_service.grpc.pb.h"
#include "kora/idv/v1/verification_service.grpc.pb.h"
#include "tests/chaos/size.h"
#include "tests/e2e/call.h"
#include "tests/e2e/frame_call.h"
#include "tests/e2e/gateway.h"
#include "tests/e2e/messages.h"
#include "tests/e2e/process.h"
#include "tests/e2e/sandbox.h"
#include "tests/e2e/steps.h"

namespace idv::e2e {
namespace {

using chaos::kIsInstrumented;
using kora::idv::v1::VerificationService;
using namespace kora::idv::v1;  // NOLINT(google-build-using-namespace): the requests of many RPCs
using std::chrono::milliseconds;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;

// Two keys and what is personal, all of which can be told by how it begins, in Base64 too, and the
// keys by their ends besides.
constexpr char kFileKey[] = "canarykey_of_a_file_Zq81/MxvT5bLw";
constexpr char kVariableKey[] = "canarykey_of_a_variable_u7Rr/E0pNc2Yd";
constexpr char kVariable[] = "IDV_E2E_CANARY";
constexpr char kGlobexId[] = "11111111-1111-4111-8111-111111111111";

std::vector<std::string> TracesOf(const std::string& beginning) {
  return {beginning, absl::Base64Escape(beginning)};  // of three bytes each, so without padding
}

std::vector<std::string> TracesOfKeys() {
  std::vector<std::string> traces = TracesOf("canarykey");
  traces.insert(traces.end(), {"MxvT5bLw", "E0pNc2Yd"});
  return traces;
}

void ExpectNone(const std::vector<std::string>& traces, const std::string& text,
                const std::string& where) {
  for (const std::string& trace : traces) {
    const size_t at = absl::AsciiStrToLower(text).find(absl::AsciiStrToLower(trace));
    if (at == std::string::npos) continue;
    ADD_FAILURE() << where << " has " << trace << ": "
                  << text.substr(at - std::min<size_t>(at, 200), 300);
  }
}

// A gateway with both keys, one tenant each, and everything that it tells.
class CanaryTest : public testing::Test {
 protected:
  static Json SandboxTenant(const char* id, const char* key) {
    return {{"tenant_id", id}, {"keys", {{{"key", key}, {"scopes", {"*"}}}}}};
  }

  std::vector<std::string> SandboxFlags() const {
    const Json tenants = {
        {"tenants", {SandboxTenant(kTenantId, kFileKey), SandboxTenant(kGlobexId, kVariableKey)}}};
    return {"--tenants", dir_.Write("tenants.yaml", tenants.dump()), "--attempts-per-day", "0"};
  }

  Json Config(const std::string& base_url) const {
    Json config = OneRequestPerCall(BasicConfig(base_url));
    config["tenants"][0]["api_key"] = {{"file", dir_.Write("key", kFileKey)}};
    config["tenants"].push_back(
        {{"name", "globex"}, {"tenant_id", kGlobexId}, {"api_key", {{"env", kVariable}}}});
    config["drain"]["unary_grace"] = "500ms";
    config["log"] = {{"level", "debug"}};
    config["listen"]["admin"] = "127.0.0.1:0";
    return config;
  }

  static std::map<std::string, std::string> Environment() {
    std::map<std::string, std::string> environment = Transparent();
    environment.emplace(kVariable, kVariableKey);
    return environment;
  }

  void Start(const std::string& base_url) {
    gateway_.emplace(Config(base_url), Environment());
    client_.emplace(Connect(gateway_->addresses()[0]));
  }

  // Keeps all that the caller is told, but a good answer's message.
  void Tell(const Outcome& outcome) {
    reasons_.insert(outcome.reason());
    absl::StrAppend(&told_, outcome.status.error_message(), "\n", outcome.status.error_details(),
                    "\n", outcome.info.DebugString(), "\n");
    for (const auto& [name, value] : outcome.trailers) {
      absl::StrAppend(&told_, name, "=", value, "\n");
    }
  }

  template <typename Stub, typename Request, typename Response>
  Response Call(grpc::Status (Stub::*rpc)(grpc::ClientContext*, const Request&, Response*),
                const Request& request) {
    const Reply<Response> reply = client_->Call(rpc, request, options_);
    Tell(reply);
    return reply.response;
  }

  std::string CreateCanary() {
    return Call(&VerificationService::Stub::CreateVerification,
                Parse<CreateVerificationRequest>(R"pb(
                  external_id: "canaryman-4711"
                  expected_first_name: "canaryman"
                  expected_last_name: "Canaryman"
                  callback_url: "https://example.test/canaryman"
                )pb"))
        .id();
  }

  void UploadCanary(const std::string& id) {
    auto request = Parse<UploadDocumentRequest>(R"pb(document_type: "passport")pb");
    request.set_verification_id(id);
    request.set_image("canaryman in passport format");
    Call(&DocumentService::Stub::UploadDocument, request);
  }

  void StreamCanary(const std::string& id) {
    FrameCall call(*client_, options_);
    if (call.SendHeader(id) && call.SendFrame("canaryman blinks")) call.Close();
    Tell(call.Finish());
  }

  // Calls of all kinds, for one tenant, however they end.
  void CallAround() {
    const std::string id = CreateCanary();
    const std::string some_id = id.empty() ? "canaryman" : id;
    UploadCanary(some_id);
    CreateLivenessSessionRequest session;
    session.set_verification_id(some_id);
    Call(&LivenessService::Stub::CreateLivenessSession, session);
    StreamCanary(some_id);
    CompleteVerificationRequest complete;
    complete.set_verification_id(some_id);
    Call(&VerificationService::Stub::CompleteVerification, complete);
    auto review = Parse<ReviewVerificationRequest>(R"pb(
      reviewer_id: "canaryman@example.test"
      decision: REVIEW_DECISION_APPROVE
      notes: "canaryman it is"
    )pb");
    review.set_verification_id(some_id);
    Call(&VerificationService::Stub::ReviewVerification, review);
    ListSubjectVerificationsRequest subject;
    subject.set_subject_id("canaryman-4711");
    Call(&VerificationService::Stub::ListSubjectVerifications, subject);
    Get(some_id);
  }

  void Get(const std::string& id) {
    GetVerificationRequest request;
    request.set_verification_id(id);
    Call(&VerificationService::Stub::GetVerification, request);
  }

  void CallWithFault(const Json& fault, const std::function<void()>& call) {
    sandbox_->AddFault(fault);
    call();
    sandbox_->ClearFaults();
  }

  // Calls as each tenant; `act` is given the tenant's key.
  void AsEachTenant(const std::function<void(const std::string& key)>& act) {
    for (const auto& [tenant, key] :
         std::map<std::string, std::string>{{"acme", kFileKey}, {"globex", kVariableKey}}) {
      options_.metadata = {{"x-idv-tenant", tenant}};
      act(key);
    }
  }

  void ExpectNothingGivenAway() {
    const pid_t pid = gateway_->process().pid();
    ExpectNone(TracesOfKeys(), ProcFile(pid, "cmdline"), "the command line");
    const std::string environment = ProcFile(pid, "environ");
    EXPECT_THAT(environment, HasSubstr("PATH="));
    ExpectNone(TracesOfKeys(), environment, "the environment");
    for (const char* const path :
         {"/livez", "/readyz", "/metrics", "/statusz", "/statusz?format=json"}) {
      const auto page = Fetcher().Fetch({.url = "http://" + gateway_->admin_address() + path});
      ASSERT_TRUE(page.ok()) << page.status();
      ExpectNone(TracesOfKeys(), page->body, path);
      ExpectNone(TracesOf("canaryman"), page->body, path);
    }
    EXPECT_EQ(gateway_->Stop(), 0);
    const std::string written = absl::StrCat(gateway_->process().Out(), gateway_->process().Err());
    EXPECT_THAT(written, HasSubstr("stopped"));
    ExpectNone(TracesOfKeys(), written, "the log");
    ExpectNone(TracesOf("canaryman"), written, "the log");
    ExpectNone(TracesOfKeys(), told_, "what callers are told");
  }

  const TempDir dir_;
  std::optional<Sandbox> sandbox_{SandboxFlags()};
  std::optional<Gateway> gateway_;
  std::optional<Client> client_;
  CallOptions options_;
  std::string told_;
  std::set<std::string> reasons_;  // of all outcomes
};

TEST_F(CanaryTest, GoodCallsAndBadOnesGiveNothingAway) {
  Start(sandbox_->base_url());

  AsEachTenant([&](const std::string&) {
    CallAround();
    Get("canaryman");
    auto bad = Parse<ReviewVerificationRequest>(R"pb(reviewer_id: "canaryman \001")pb");
    Call(&VerificationService::Stub::ReviewVerification, bad);
    Tell(client_->CallRaw("/kora.idv.v1.VerificationService/CreateVerification",
                          "\x0a\x7f"
                          "canaryman",
                          options_));
    Tell(client_->CallRaw("/kora.idv.v1.canaryman/Canaryman", "", options_));
    options_.metadata = {{"x-idv-tenant", "canaryman"}};
    Get("canaryman");
  });
  gateway_->process().Signal(SIGHUP);
  AsEachTenant([&](const std::string&) { CallAround(); });

  EXPECT_THAT(reasons_, testing::IsSupersetOf({"", "VERIFICATION_NOT_FOUND", "INVALID_FIELD",
                                               "REQUEST_MALFORMED", "TENANT_NOT_ALLOWED"}));
  // The keys were used indeed.
  const Json requests = sandbox_->Requests();
  ASSERT_FALSE(requests.empty());
  EXPECT_EQ(requests.front()["headers"]["authorization"], absl::StrCat("Bearer ", kFileKey));
  EXPECT_EQ(requests.back()["headers"]["authorization"], absl::StrCat("Bearer ", kVariableKey));
  ExpectNothingGivenAway();
}

TEST_F(CanaryTest, FaultsOfTheUpstreamGiveNothingAway) {
  Start(sandbox_->base_url());

  AsEachTenant([&](const std::string& key) {
    const std::string other = key == kFileKey ? kVariableKey : kFileKey;
    for (const Json& fault :
         std::vector<Json>{{{"kind", "unauthorized"}, {"until_key", other}},
                           {{"kind", "status"}, {"status", 403}, {"body", "{}"}},
                           {{"kind", "html"}},
                           {{"kind", "half_json"}},
                           {{"kind", "wrong_types"}},
                           {{"kind", "unknown_keys"}},
                           {{"kind", "unknown_enums"}},
                           {{"kind", "large_header"}, {"bytes", 1 << 20}},
                           {{"kind", "gzip_bomb"}, {"bytes", 1 << 24}},
                           {{"kind", "reset"}, {"at", "request_header"}},
                           {{"kind", "close"}, {"at", "during_answer"}}}) {
      CallWithFault(fault, [&] { CallAround(); });
    }
    options_.timeout = milliseconds(100);
    CallWithFault({{"kind", "hang"}}, [&] { Get("canaryman"); });
    options_.timeout = std::chrono::seconds(20);
  });
  sandbox_.reset();
  AsEachTenant([&](const std::string&) { CallAround(); });

  EXPECT_THAT(reasons_, testing::IsSupersetOf({"UPSTREAM_CREDENTIAL_REJECTED", "UPSTREAM_FORBIDDEN",
                                               "UPSTREAM_BAD_RESPONSE", "UPSTREAM_UNREACHABLE"}));
  ExpectNothingGivenAway();
}

// Errors that repeat the key, in every place of which something is shown.
std::vector<std::string> EchoesOf(const std::string& key) {
  std::string escaped = key;  // as some write JSON
  escaped.replace(escaped.find('/'), 1, "\\/");
  const std::string text = absl::StrCat("the key '", key, "' is bad");
  return {Json{{"code", key}, {"error", text}}.dump(),
          Json{{"error", {{"code", key}, {"message", text}}}}.dump(),
          absl::StrCat(R"({"error":"Bearer )", escaped, R"("})"),
          Json{{"message", text}}.dump(),
          Json{{"detail", text}}.dump(),
          Json{{"errors", {{{"field", key}, {"message", text}}}}}.dump(),
          Json{{"details", {{"field", key}, {"constraint", text}}}}.dump(),
          Json{{"details", {{key, text}}}}.dump(),
          Json{{"error", {text}}, {key, text}}.dump(),
          absl::StrCat("<html>", text, "</html>"),
          text};
}

TEST_F(CanaryTest, AnUpstreamThatRepeatsTheKeyGivesItToNobody) {
  Start(sandbox_->base_url());

  AsEachTenant([&](const std::string& key) {
    for (const int status :
         {301, 400, 401, 403, 404, 408, 409, 410, 413, 418, 422, 429, 500, 502, 503}) {
      for (const std::string& echo : EchoesOf(key)) {
        CallWithFault(
            {{"kind", "status"},
             {"status", status},
             {"body", echo},
             {"headers", {{"Location", "/" + key}, {"Retry-After", key}, {"X-Key", key}}}},
            [&] { Get("x"); });
      }
    }
    // What is no secret is shown still.
    CallWithFault({{"kind", "status"}, {"status", 409}, {"body", R"({"error":"not a secret"})"}},
                  [&] { Get("x"); });
  });

  EXPECT_THAT(told_, HasSubstr("not a secret"));
  ExpectNothingGivenAway();
}

TEST_F(CanaryTest, AHurriedShutdownGivesNothingAway) {
  Start(sandbox_->base_url());
  AsEachTenant([&](const std::string&) { CallAround(); });
  sandbox_->AddFault({{"kind", "hang"}});
  options_.metadata = {{"x-idv-tenant", "acme"}};
  PendingGet call(*client_, "canaryman", options_);
  sandbox_->AwaitRequest("/verifications/canaryman", "pending");

  gateway_->process().Signal(SIGTERM);
  Tell(call.Finish());

  EXPECT_EQ(reasons_.count("GATEWAY_DRAINING"), 1U);
  ExpectNothingGivenAway();
}

TEST_F(CanaryTest, NoRunGivesAKeyAway) {
  const Json good = Config("http://127.0.0.1:9/api/v1/idv");
  std::map<std::string, std::string> configs = {{"good", good.dump()},
                                                {"broken", good.dump() + kFileKey + ": ["}};
  const auto add = [&](const std::string& name, const Json& api_key) {
    Json config = good;
    config["tenants"][0]["api_key"] = api_key;
    configs[name] = config.dump();
  };
  add("a key in place of a reference", kFileKey);
  add("a key of another name", {{"value", kFileKey}});
  add("keys in a list", {kFileKey, kVariableKey});
  add("two lines", {{"file", dir_.Write("two", absl::StrCat(kFileKey, "\n", kVariableKey))}});
  add("a blank", {{"file", dir_.Write("blank", absl::StrCat(kFileKey, " "))}});
  add("too long", {{"file", dir_.Write("long", kFileKey + std::string(5000, 'x'))}});
  Json with_user = good;
  with_user["upstream"]["base_url"] = "https://canarykey:MxvT5bLw@example.test/";
  configs["a key in the URL"] = with_user.dump();

  for (const auto& [name, config] : configs) {
    const std::string file = dir_.Write("run.yaml", config);
    for (const std::vector<std::string>& flags :
         {std::vector<std::string>{"--check"}, {"--print-config"}, {}}) {
      SCOPED_TRACE(absl::StrCat(name, " ", testing::PrintToString(flags)));
      const auto process = RunGateway(file, flags, Environment());
      std::optional<int> exit_code;
      const auto has_ended = [&] {
        exit_code = process->Wait(milliseconds(0));
        return exit_code.has_value();
      };
      WaitUntil([&] { return has_ended() || !process->Out().empty(); });
      if (!exit_code) {
        if (flags.empty()) process->Signal(SIGTERM);  // it serves
        exit_code = process->Wait();
      }
      EXPECT_TRUE(exit_code.has_value());
      const std::string said = process->Out() + process->Err();
      EXPECT_FALSE(said.empty());
      ExpectNone(TracesOfKeys(), said, "what it says");
    }
  }
}

// Lets the programs that this one starts leave cores, in that directory.
class CoresWanted {
 public:
  explicit CoresWanted(const std::string& directory) {
    getrlimit(RLIMIT_CORE, &limit_before_);
    rlimit limit = limit_before_;
    limit.rlim_cur = limit.rlim_max;
    EXPECT_EQ(setrlimit(RLIMIT_CORE, &limit), 0);
    std::filesystem::current_path(directory);
  }
  ~CoresWanted() {
    setrlimit(RLIMIT_CORE, &limit_before_);
    std::filesystem::current_path(directory_before_);
  }
  CoresWanted(const CoresWanted&) = delete;
  CoresWanted& operator=(const CoresWanted&) = delete;

 private:
  rlimit limit_before_{};
  const std::filesystem::path directory_before_ = std::filesystem::current_path();
};

TEST(CoreTest, AnAbortLeavesNone) {
  const Sandbox sandbox;
  const TempDir dir;
  const CoresWanted wanted(dir.Path(""));
  Gateway gateway(sandbox);
  const std::string limits = ProcFile(gateway.process().pid(), "limits");

  gateway.process().Signal(SIGABRT);

  EXPECT_EQ(gateway.process().WaitForSignal(), SIGABRT);
  for (const auto& file : std::filesystem::directory_iterator(dir.Path(""))) {
    ADD_FAILURE() << "there is " << file.path();
  }
  EXPECT_THAT(limits, ContainsRegex("Max core file size +0 +0 "));
}

// A program without any capability, even if its user is root.
std::unique_ptr<Process> RunWithoutRights(const std::vector<std::string>& command) {
  std::vector<std::string> arguments = {"--no-new-privs"};
  if (geteuid() == 0) {
    arguments.insert(arguments.end(), {"--bounding-set=-all", "--inh-caps=-all"});
  }
  arguments.insert(arguments.end(), command.begin(), command.end());
  return std::make_unique<Process>("/usr/bin/setpriv", arguments);
}

// The environment of a process, as others of its user see it.
std::string SeenEnvironment(const Process& process) {
  const std::string file = "/proc/" + std::to_string(process.pid()) + "/environ";
  const auto cat = RunWithoutRights({"cat", file});
  cat->Wait();
  return cat->Out();
}

// Which is known by its being hidden from others of its user, proc(5).
TEST(CoreTest, TheKernelPipesNoneToAnyProgram) {
  const TempDir dir;
  Json config = BasicConfig("http://127.0.0.1:9/api/v1/idv");
  config["tenants"][0]["api_key"] = {{"file", dir.Write("key", kApiKey)}};
  const auto sleep = RunWithoutRights({"sleep", "60"});
  const auto gateway =
      RunWithoutRights({GatewayProgram(), "--config", dir.Write("gateway.yaml", config.dump())});
  ASSERT_EQ(gateway->OutLines(1).size(), 1U) << gateway->Err();

  EXPECT_THAT(SeenEnvironment(*sleep), HasSubstr("PATH="));
  if (kIsInstrumented) return;  // it hides nothing then
  EXPECT_THAT(SeenEnvironment(*gateway), IsEmpty());
}

}  // namespace
}  // namespace idv::e2e
