// The real program over real sockets.

#include "tests/upstream/sandbox/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace idv::sandbox {
namespace {

TEST_F(ProgramTest, RunsAWholeVerificationForEveryPrefix) {
  Start();
  Client client(port_);
  for (const auto& [prefix, status] :
       std::vector<std::pair<std::string, std::string>>{{"test-approve-", "verified"},
                                                        {"test-reject-", "rejected"},
                                                        {"test-fraud-", "rejected"},
                                                        {"test-review-", "manual_review"},
                                                        {"test-expired-", "verified"},
                                                        {"test-slow-", "processing"},
                                                        {"customer-", "verified"}}) {
    EXPECT_EQ(RunFlow(client, prefix + "1")["status"], status) << prefix;
  }
  EXPECT_EQ(client.Call("GET", "/api/v1/alerts?status=open").body["total"], 1);
}

TEST_F(ProgramTest, AnswersStrangersByTheBook) {
  Start();
  Client client(port_);

  EXPECT_EQ(client.Call("GET", "/health").status, 200);
  EXPECT_EQ(client.Call("GET", "/api/v1/idv/verifications/x").status, 404);
  EXPECT_EQ(client.Call("GET", "/nowhere").status, 404);
  EXPECT_EQ(client.Call("GET", "/api/v1/idv/verifications").status, 405);
  client.tenant = "11111111-2222-4333-8444-555555555555";
  EXPECT_EQ(client.Call("GET", "/api/v1/idv/alerts").status, 403);
  client.key = "wrong";
  EXPECT_EQ(client.Call("GET", "/api/v1/idv/alerts").status, 401);
}

TEST_F(ProgramTest, LimitsByPlan) {
  Start({"--plan", "basic"});
  Client client(port_);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(client.Call("GET", "/api/v1/idv/alerts").status, 200);

  client.Start("GET", "/api/v1/idv/alerts");
  const std::string answer = client.FinishRaw();

  EXPECT_THAT(answer, testing::StartsWith("HTTP/1.1 429 Too Many Requests\r\n"));
  EXPECT_THAT(answer, testing::ContainsRegex("\r\nRetry-After: [0-9]+\r\n"));
  EXPECT_THAT(answer, testing::HasSubstr("\r\nX-RateLimit-Limit: 10\r\n"));
  EXPECT_THAT(answer, testing::HasSubstr("\r\nX-RateLimit-Remaining: 0\r\n"));
  EXPECT_THAT(answer, testing::ContainsRegex("\r\nX-RateLimit-Reset: [0-9]+\r\n"));
}

TEST_F(ProgramTest, LetsTestsMoveItsClock) {
  Start({"--plan", "basic"});
  Client client(port_);
  const std::string at =
      "/api/v1/idv/verifications/" +
      std::string(
          client.Call("POST", "/api/v1/idv/verifications", R"({"externalId":"x"})").body["id"]);
  while (client.Call("GET", at).status != 429) {
  }

  EXPECT_EQ(client.Call("POST", "/__sandbox/clock", R"({"advance":"24h"})").status, 200);

  EXPECT_EQ(client.Call("GET", at).body["status"], "expired");
}

TEST_F(ProgramTest, StartsAnewWhenToldTo) {
  Start({"--plan", "basic", "--fault", R"({"kind":"status","status":418,"method":"PUT"})"});
  Client client(port_);
  const std::string at =
      "/api/v1/verifications/" +
      std::string(client.Call("POST", "/api/v1/verifications", R"({"externalId":"test-fraud-1"})")
                      .body["id"]);
  client.Call("POST", at + "/document", R"({"documentType":"ghana_card","imageBase64":"AAAA"})");
  client.Call("POST", at + "/complete");
  EXPECT_EQ(client.Call("GET", "/api/v1/alerts").body["total"], 1);
  while (client.Call("GET", at).status != 429) {
  }
  SetFault(R"({"kind":"latency","milliseconds":1})");
  client.Call("POST", "/__sandbox/clock", R"({"advance":"1s"})");

  EXPECT_EQ(client.Call("POST", "/__sandbox/reset").status, 200);

  EXPECT_EQ(Requests(""), json::array());
  EXPECT_EQ(client.Call("GET", "/__sandbox/clock").body["ahead_ms"], 0);
  EXPECT_EQ(client.Call("GET", "/__sandbox/faults").body["faults"].size(), 1U);
  EXPECT_EQ(client.Call("PUT", "/api/v1/alerts").status, 418);
  EXPECT_EQ(client.Call("GET", at).status, 404);
  EXPECT_EQ(client.Call("GET", "/api/v1/alerts").body["total"], 0);
}

TEST_F(ProgramTest, LogsWhatItReceived) {
  Start();

  Client(port_).Call("POST", "/api/v1/idv/verifications", "abc");

  const json entry = AwaitOutcome("/verifications", "answered");
  EXPECT_EQ(entry["method"], "POST");
  EXPECT_EQ(entry["path"], "/api/v1/idv/verifications");
  EXPECT_EQ(entry["headers"]["x-tenant-id"], kTenant);
  EXPECT_EQ(entry["body_bytes"], 3);
  EXPECT_EQ(entry["body_sha256"],
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(entry["body_complete"], true);
  EXPECT_EQ(entry["status"], 400);
}

TEST_F(ProgramTest, SeesAtOnceThatAClientOfAHangingRequestHasGone) {
  Start({"--hang", "/document-types"});
  Client client(port_);
  client.Start("GET", "/api/v1/document-types");
  AwaitOutcome("/document-types", "pending");

  const std::int64_t left_at = NowMillis();
  client.socket().close();

  const json entry = AwaitOutcome("/document-types", "aborted");
  EXPECT_EQ(entry["body_complete"], true);
  EXPECT_GE(entry["ended_at_ms"], left_at);
  EXPECT_LE(entry["ended_at_ms"], left_at + 50);
}

TEST_F(ProgramTest, SeesAtOnceThatAClientOfADelayedRequestHasReset) {
  Start({"--latency", "1h"});
  Client client(port_);
  client.Start("POST", "/api/v1/verifications", R"({"externalId":"x"})");
  AwaitOutcome("/verifications", "pending");

  const std::int64_t left_at = NowMillis();
  client.socket().set_option(asio::socket_base::linger(true, 0));
  client.socket().close();

  EXPECT_LE(AwaitOutcome("/verifications", "aborted")["ended_at_ms"], left_at + 50);
}

TEST_F(ProgramTest, KeepsWatchingAClientThatPipelines) {
  Start();
  SetFault(R"({"kind":"hang","path_prefix":"/document-types"})");
  Client client(port_);
  client.Start("GET", "/api/v1/document-types");
  AwaitOutcome("/document-types", "pending");
  client.Start("GET", "/api/v1/health");

  client.socket().close();

  AwaitOutcome("/document-types", "aborted");
  EXPECT_EQ(Requests("/health"), json::array());
}

TEST_F(ProgramTest, ServesPipelinedRequestsAfterADelay) {
  Start();
  SetFault(R"({"kind":"latency","milliseconds":200,"times":1})");
  Client client(port_);

  client.Start("GET", "/api/v1/document-types?country=GH");
  AwaitOutcome("/document-types", "pending");
  client.Start("GET", "/health");

  EXPECT_EQ(client.Finish().body["total"], 2);
  EXPECT_EQ(client.Finish().body["status"], "healthy");
}

TEST_F(ProgramTest, DelaysByPrefixOfTheExternalIdAsOftenAsAsked) {
  Start();
  SetFault(R"({"kind":"latency","milliseconds":60,"external_id_prefix":"slow-","times":1})");
  Client client(port_);
  const auto time = [&client](const std::string& body) {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(client.Call("POST", "/api/v1/verifications", body).status, 201);
    return std::chrono::steady_clock::now() - start;
  };
  EXPECT_GE(time(R"({"externalId":"slow-1"})"), 60ms);

  EXPECT_EQ(client.Call("GET", "/__sandbox/faults").body["faults"], json::array());
  EXPECT_EQ(client.Call("POST", "/api/v1/verifications", R"({"externalId":"slow-2"})").status, 201);
}

TEST_F(ProgramTest, LogsAnUploadThatWasCut) {
  Start();
  Client client(port_);
  client.Write(
      "POST /api/v1/idv/verifications/x/selfie HTTP/1.1\r\nHost: x\r\n"
      "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  AwaitOutcome("/verifications/x/selfie", "pending");

  client.socket().close();

  const json entry = AwaitOutcome("/verifications/x/selfie", "aborted");
  EXPECT_EQ(entry["body_bytes"], 3);
  EXPECT_EQ(entry["body_sha256"],
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(entry["body_complete"], false);
}

TEST_F(ProgramTest, TakesChunkedFramesOfMegabytes) {
  Start();
  Client client(port_);
  const json created = client.Call("POST", "/api/v1/verifications", R"({"externalId":"x"})").body;
  const std::string at = "/api/v1/verifications/" + std::string(created["id"]);
  client.Call("POST", at + "/liveness/session");

  client.Write("POST " + at + "/liveness/frames HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " +
               client.key + "\r\nX-Tenant-ID: " + kTenant +
               "\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n{\"frames\":[\r\n");
  const std::string frame = '"' + std::string(400000, 'A') + "\"";
  for (int i = 0; i < 20; ++i) {
    const std::string piece = i == 0 ? frame : "," + frame;
    std::array<char, 16> size{};
    std::snprintf(size.data(), size.size(), "%zx", piece.size());
    client.Write(std::string(size.data()) + "\r\n" + piece + "\r\n");
  }
  client.Write("2\r\n]}\r\n0\r\n\r\n");

  const Reply reply = client.Finish();
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(AwaitOutcome(at + "/liveness/frames", "answered")["body_bytes"],
            11 + 20 * 400002 + 19 + 2);
}

TEST_F(ProgramTest, RefusesABodyOver32MiBEarly) {
  Start();
  Client announced(port_);
  announced.Write(
      "POST /api/v1/verifications/x/selfie HTTP/1.1\r\nHost: x\r\nContent-Length: "
      "33554433\r\n\r\n");
  EXPECT_EQ(announced.Finish().status, 413);

  Client chunked(port_);
  chunked.Write(
      "POST /api/v1/verifications/x/selfie HTTP/1.1\r\nHost: x\r\n"
      "Transfer-Encoding: chunked\r\n\r\n2000001\r\n");
  const std::string mebibyte(1 << 20, 'x');
  for (int i = 0; i < 32; ++i) chunked.Write(mebibyte);
  chunked.Write("x\r\n1000000\r\n");
  for (int i = 0; i < 16; ++i) chunked.Write(mebibyte);  // no reset before the answer is read
  EXPECT_EQ(chunked.Finish().status, 413);
}

TEST_F(ProgramTest, AnswersExpectContinue) {
  Start();
  Client client(port_);
  client.Write(
      "POST /api/v1/verifications HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
      "Content-Length: 2\r\n\r\n");
  asio::streambuf buffer;
  asio::read_until(client.socket(), buffer, "\r\n\r\n");

  EXPECT_THAT(std::string(static_cast<const char*>(buffer.data().data()), buffer.size()),
              testing::StartsWith("HTTP/1.1 100 "));
  client.Write("{}");
  EXPECT_EQ(client.Finish().status, 401);
}

TEST_F(ProgramTest, RefusesWhatIsNotHttp) {
  Start();
  Client client(port_);

  client.Write("nonsense\r\n\r\n");

  EXPECT_EQ(client.Finish().status, 400);
}

TEST_F(ProgramTest, ServesAThousandHangingConnectionsAndGoesOn) {
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = 512;  // the program has to help itself
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  Start({"--hang", "/document-types"});
  limit.rlim_cur = limit.rlim_max;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  std::vector<std::unique_ptr<Client>> clients;
  clients.reserve(1000);
  for (int i = 0; i < 1000; ++i) clients.push_back(std::make_unique<Client>(port_));
  for (const auto& client : clients) client->Start("GET", "/api/v1/document-types");

  EXPECT_EQ(Client(port_).Call("GET", "/health").status, 200);
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (Requests("/document-types").size() < 1000) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
  }
}

TEST_F(ProgramTest, EndsWellOnSignalsEvenWithOpenRequests) {
  for (const int signal : {SIGTERM, SIGINT}) {
    Start({"--hang", "/document-types"});
    Client hanging(port_);
    hanging.Start("GET", "/api/v1/document-types");
    Client idle(port_);
    AwaitOutcome("/document-types", "pending");

    program_->Signal(signal);

    EXPECT_EQ(program_->Wait(), 0);
  }
}

TEST_F(ProgramTest, SaysThatThePortIsTaken) {
  Start();

  Process second({"--listen", "127.0.0.1:" + port_});

  EXPECT_THAT(second.ErrLine(), testing::HasSubstr("127.0.0.1:" + port_));
  EXPECT_EQ(second.ErrLine(), "");
  EXPECT_EQ(second.Wait(), 1);
}

TEST_F(ProgramTest, RefusesBadFlags) {
  for (const std::vector<std::string>& flags :
       std::vector<std::vector<std::string>>{{"--nonsense"},
                                             {"--listen", "nowhere"},
                                             {"--latency", "fast"},
                                             {"--plan", "golden"},
                                             {"--plan", "basic", "--tenants", "/dev/null"},
                                             {"--tenants", "/no/such/file"},
                                             {"--tenants", "/"},
                                             {"extra"}}) {
    Process process(flags);
    EXPECT_NE(process.ErrLine(), "") << flags[0];
    EXPECT_EQ(process.Wait(), 2) << flags[0];
  }
}

TEST_F(ProgramTest, ExplainsItself) {
  Process help({"--help"});
  EXPECT_NE(help.OutLine(), "");
  EXPECT_EQ(help.Wait(), 0);
  Process version({"--version"});
  EXPECT_THAT(version.OutLine(), testing::MatchesRegex("idv-sandbox [0-9.]+"));
  EXPECT_EQ(version.Wait(), 0);
}

TEST_F(ProgramTest, ReadsTenantsFromAFile) {
  const std::string file = testing::TempDir() + "/tenants-" + std::to_string(getpid()) + ".yaml";
  std::ofstream(file) << "tenants: [{tenant_id: 11111111-2222-4333-8444-555555555555, "
                         "keys: [{key: mine, scopes: ['alerts:read']}]}]";
  Start({"--tenants", file});
  Client client(port_);
  EXPECT_EQ(client.Call("GET", "/api/v1/alerts").status, 401);
  client.key = "mine";
  client.tenant = "11111111-2222-4333-8444-555555555555";
  EXPECT_EQ(client.Call("GET", "/api/v1/alerts").status, 200);
  EXPECT_EQ(client.Call("GET", "/api/v1/document-types").status, 403);

  std::ofstream(file) << "tenants: [{tenant_id: x, keys: [{key: mine, scopes: [y]}]}]";
  Process bad({"--tenants", file});
  EXPECT_THAT(bad.ErrLine(), testing::HasSubstr("tenants[0].tenant_id"));
  EXPECT_THAT(bad.ErrLine(), testing::HasSubstr("tenants[0].keys[0].scopes[0]"));
  EXPECT_EQ(bad.Wait(), 2);
  unlink(file.c_str());
}

}  // namespace
}  // namespace idv::sandbox
