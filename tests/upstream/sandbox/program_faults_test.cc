// Every fault that needs a connection, with the real program over real sockets.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/upstream/sandbox/certificate.h"
#include "tests/upstream/sandbox/program.h"

namespace idv::sandbox {
namespace {

using boost::system::error_code;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kGet[] = "/api/v1/document-types";

class ProgramFaultsTest : public ProgramTest {
 protected:
  struct Heard {
    std::string text;
    error_code end;  // eof after FIN, connection_reset after RST
  };

  // All that comes until the connection ends, or until there are so many bytes.
  static Heard Listen(Client& client, std::size_t enough = SIZE_MAX) {
    Heard heard;
    std::array<char, 65536> piece{};
    while (!heard.end && heard.text.size() < enough) {
      const std::size_t size = client.socket().read_some(asio::buffer(piece), heard.end);
      heard.text.append(piece.data(), size);
    }
    return heard;
  }

  static std::string Post(const std::string& framing) {
    return "POST /api/v1/verifications HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
           "test_sk_sandbox\r\nX-Tenant-ID: " +
           std::string(kTenant) + "\r\n" + framing + "\r\n\r\n";
  }
};

TEST_F(ProgramFaultsTest, EndsConnectionsAtEveryMoment) {
  Start();
  struct Row {
    const char* at;
    bool reads_body;
    bool answers_all;
    const char* outcome;
  };
  const std::string body = R"({"externalId":"x"})";
  for (const Row& row : std::vector<Row>{{"request_header", false, false, "ended"},
                                         {"request_body", true, false, "ended"},
                                         {"before_answer", true, false, "ended"},
                                         {"during_answer", true, false, "ended"},
                                         {"after_answer", true, true, "answered"}}) {
    for (const bool resets : {true, false}) {
      const std::string kind = resets ? "reset" : "close";
      SetFault(
          json{{"kind", kind}, {"at", row.at}, {"times", 1}, {"path_prefix", "/verif"}}.dump());
      Client(port_).Call("DELETE", "/__sandbox/requests");
      Client client(port_);
      client.Write(Post("Content-Length: " + std::to_string(body.size())));
      if (row.reads_body) client.Write(body);

      const Heard heard = Listen(client);

      EXPECT_EQ(heard.end,
                resets ? error_code(asio::error::connection_reset) : error_code(asio::error::eof))
          << kind << " " << row.at;
      EXPECT_EQ(heard.text.find("\r\n\r\n{") != std::string::npos,
                row.answers_all || row.at == std::string_view("during_answer"))
          << kind << " " << row.at << heard.text;
      EXPECT_EQ(heard.text.ends_with('}'), row.answers_all) << heard.text;
      EXPECT_EQ(AwaitOutcome("/verifications", row.outcome)["body_complete"], row.reads_body);
    }
  }
}

TEST_F(ProgramFaultsTest, EndsUploadsInTheMiddle) {
  Start();
  SetFault(R"({"kind":"reset","at":"request_body","times":2})");
  Client announced(port_);
  announced.Write(Post("Content-Length: 1000000") + std::string(499999, ' '));
  EXPECT_EQ(AwaitOutcome("/verifications", "pending")["body_complete"], false);
  announced.Write("  ");
  EXPECT_EQ(Listen(announced).end, error_code(asio::error::connection_reset));
  EXPECT_EQ(AwaitOutcome("/verifications", "ended")["body_complete"], false);

  Client(port_).Call("DELETE", "/__sandbox/requests");
  Client chunked(port_);
  chunked.Write(Post("Transfer-Encoding: chunked") + "10000\r\n" + std::string(65536, ' '));
  EXPECT_EQ(Listen(chunked).end, error_code(asio::error::connection_reset));
  EXPECT_EQ(AwaitOutcome("/verifications", "ended")["body_complete"], false);
}

TEST_F(ProgramFaultsTest, AnswersWithAnyStatus) {
  Start({"--fault", R"({"kind":"status","status":503,"headers":{"Retry-After":"7"},"body":"{}"})",
         "--fault", R"({"kind":"status","status":500})"});
  Client client(port_);
  client.Start("GET", kGet);
  const std::string header = client.FinishRaw();

  EXPECT_THAT(header, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(header, HasSubstr("\r\nRetry-After: 7\r\n"));
  EXPECT_THAT(header, HasSubstr("\r\nContent-Length: 2\r\n"));
}

TEST_F(ProgramFaultsTest, AnswersWithoutABodyWhereTheStatusHasNone) {
  Start({"--fault", R"({"kind":"status","status":204})"});
  Client client(port_);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(client.Call("GET", kGet).status, 204);
}

TEST_F(ProgramFaultsTest, AnswersEarly) {
  Start();
  SetFault(R"({"kind":"status","status":500,"body":"{}","early":true})");
  Client client(port_);
  client.Write(Post("Content-Length: 1000000"));

  EXPECT_EQ(client.Finish().status, 500);
  client.Write(std::string(1000, ' '));  // is still taken, so that the answer is not lost
  EXPECT_EQ(Listen(client).end, error_code(asio::error::eof));
  EXPECT_EQ(AwaitOutcome("/verifications", "answered")["body_complete"], false);
}

TEST_F(ProgramFaultsTest, RefusesChunksOnly) {
  Start();
  SetFault(R"({"kind":"length_required"})");
  Client client(port_);
  EXPECT_EQ(client.Call("POST", "/api/v1/verifications", R"({"externalId":"x"})").status, 201);
  client.Write(Post("Transfer-Encoding: chunked"));
  EXPECT_EQ(client.Finish().status, 411);
}

TEST_F(ProgramFaultsTest, RefusesAllKeysButOne) {
  Start();
  SetFault(R"({"kind":"unauthorized","until_key":"test_sk_sandbox"})");
  Client client(port_);
  EXPECT_EQ(client.Call("GET", kGet).status, 200);

  SetFault(R"({"kind":"unauthorized","until_key":"other"})");
  EXPECT_EQ(client.Call("GET", kGet).status, 401);
}

TEST_F(ProgramFaultsTest, SpoilsAnswers) {
  Start();
  Client client(port_);
  for (const char* const kind : {"half_json", "html"}) {
    SetFault(json{{"kind", kind}, {"times", 1}}.dump());
    client.Start("GET", "/health");
    http::response<http::string_body> answer = client.FinishText();
    EXPECT_FALSE(json::accept(answer.body())) << kind;
  }
  SetFault(R"({"kind":"unknown_enums","times":1})");
  EXPECT_EQ(client.Call("GET", "/health").body["status"], "not_heard_of_yet");
  EXPECT_EQ(client.Call("GET", "/health").body["status"], "healthy");
}

TEST_F(ProgramFaultsTest, SendsHeadersAsLargeAsAsked) {
  Start();
  SetFault(R"({"kind":"large_header","bytes":1000000})");
  Client client(port_);
  client.Start("GET", "/health");

  EXPECT_GT(Listen(client, 1'000'100).text.find("\r\n\r\n"), 1'000'000U);
}

TEST_F(ProgramFaultsTest, GoesOnForEver) {
  Start();
  SetFault(R"({"kind":"endless"})");
  {
    Client client(port_);
    client.Start("GET", "/health");
    const std::string text = Listen(client, 20'000'000).text;
    EXPECT_THAT(text, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_EQ(text.find("Content-Length"), std::string::npos);
  }
  AwaitOutcome("/health", "aborted");
}

TEST_F(ProgramFaultsTest, ReadsAndWritesSlowly) {
  Start();
  SetFault(R"({"kind":"slow_reading","bytes_per_second":100,"times":1})");
  const std::string body = R"({"externalId":"aaaaaaaaaaaaaaaaa"})";  // 34 bytes: 7 pieces of 5
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(Client(port_).Call("POST", "/api/v1/verifications", body).status, 201);
  EXPECT_GE(std::chrono::steady_clock::now() - start, 300ms);

  SetFault(R"({"kind":"slow_writing","bytes_per_second":400,"times":1})");
  const auto later = std::chrono::steady_clock::now();
  EXPECT_EQ(Client(port_).Call("GET", "/health").status, 200);  // some 90 bytes
  EXPECT_GE(std::chrono::steady_clock::now() - later, 150ms);
}

TEST_F(ProgramFaultsTest, FitsByTenantAndEndpoint) {
  Start();
  SetFault(json{{"kind", "status"},
                {"status", 500},
                {"tenant_id", kTenant},
                {"endpoint", "GET /document-types"}}
               .dump());
  Client client(port_);
  EXPECT_EQ(client.Call("GET", kGet).status, 500);
  EXPECT_EQ(client.Call("GET", "/api/v1/alerts").status, 200);
  client.tenant = "11111111-2222-4333-8444-555555555555";
  EXPECT_EQ(client.Call("GET", kGet).status, 403);
}

TEST_F(ProgramFaultsTest, ReadsFaultsFromAFile) {
  const std::string file = testing::TempDir() + "/faults-" + std::to_string(getpid()) + ".yaml";
  std::ofstream(file) << "faults: [{kind: status, status: 418}]";
  Start({"--faults", file});
  EXPECT_EQ(Client(port_).Call("GET", kGet).status, 418);

  std::ofstream(file) << "faults: [{kind: reset}]";
  Process bad({"--faults", file});
  EXPECT_THAT(bad.ErrLine(), HasSubstr(file + ": faults[0]: reset needs at"));
  EXPECT_EQ(bad.Wait(), 2);
  unlink(file.c_str());
}

class ProgramTlsTest : public ProgramFaultsTest {
 protected:
  const Certificate certificate_;
};

TEST_F(ProgramTlsTest, ServesTls) {
  Start({"--tls-cert", certificate_.file, "--tls-key", certificate_.key});
  asio::io_context io;
  asio::ssl::context tls(asio::ssl::context::tls_client);
  tls.load_verify_file(certificate_.file);
  tls.set_verify_mode(asio::ssl::verify_peer);
  asio::ssl::stream<tcp::socket> stream(io, tls);
  asio::connect(stream.next_layer(), tcp::resolver(io).resolve("127.0.0.1", port_));
  stream.handshake(asio::ssl::stream_base::client);
  const std::string_view request = "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  asio::write(stream, asio::buffer(request.data(), request.size()));
  std::string answer;
  error_code end;
  asio::read(stream, asio::dynamic_buffer(answer), end);

  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, EndsWith(R"({"status":"healthy"})"));
}

TEST_F(ProgramTlsTest, ClosesWhatIsNotTls) {
  Start({"--tls-cert", certificate_.file, "--tls-key", certificate_.key});
  Client client(port_);
  client.Start("GET", "/health");

  EXPECT_TRUE(Listen(client).end);
}

TEST_F(ProgramTlsTest, RefusesBadFiles) {
  for (const std::vector<std::string>& flags : std::vector<std::vector<std::string>>{
           {"--tls-cert", certificate_.file},
           {"--tls-key", certificate_.key},
           {"--tls-cert", "/no/such/file", "--tls-key", certificate_.key},
           {"--tls-cert", certificate_.key, "--tls-key", certificate_.key},
           {"--tls-cert", certificate_.file, "--tls-key", certificate_.file}}) {
    Process process(flags);
    EXPECT_NE(process.ErrLine(), "") << testing::PrintToString(flags);
    EXPECT_EQ(process.Wait(), 2) << testing::PrintToString(flags);
  }
}

}  // namespace
}  // namespace idv::sandbox
