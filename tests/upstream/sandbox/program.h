#ifndef TESTS_UPSTREAM_SANDBOX_PROGRAM_H_
#define TESTS_UPSTREAM_SANDBOX_PROGRAM_H_

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffers_iterator.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

// The real program, and a client with a real socket.
namespace idv::sandbox {

using namespace std::chrono_literals;
using boost::asio::ip::tcp;
using nlohmann::json;
namespace asio = boost::asio;
namespace http = boost::beast::http;

inline constexpr const char* kTenant = "550e8400-e29b-41d4-a716-446655440000";

// A child process with its output in pipes; killed with its owner.
class Process {
 public:
  explicit Process(std::vector<std::string> arguments) {
    std::array<int, 2> out{};
    std::array<int, 2> err{};
    if (pipe2(out.data(), O_CLOEXEC) != 0 || pipe2(err.data(), O_CLOEXEC) != 0) std::abort();
    pid_ = fork();
    if (pid_ == 0) {
      dup2(out[1], STDOUT_FILENO);
      dup2(err[1], STDERR_FILENO);
      arguments.insert(arguments.begin(), IDV_SANDBOX_PATH);
      std::vector<char*> argv;
      argv.reserve(arguments.size() + 1);
      for (std::string& argument : arguments) argv.push_back(argument.data());
      argv.push_back(nullptr);
      execv(IDV_SANDBOX_PATH, argv.data());
      _exit(127);
    }
    close(out[1]);
    close(err[1]);
    out_ = out[0];
    err_ = err[0];
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      Wait();
    }
    close(out_);
    close(err_);
  }

  void Signal(int signal) const { kill(pid_, signal); }

  // The exit code, after the end of the process.
  int Wait() {
    int status = 0;
    waitpid(std::exchange(pid_, 0), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  std::string OutLine() { return Line(out_); }
  std::string ErrLine() { return Line(err_); }

 private:
  // Up to the end of the line or of the output.
  static std::string Line(int descriptor) {
    std::string line;
    char c = 0;
    while (read(descriptor, &c, 1) == 1 && c != '\n') line += c;
    return line;
  }

  pid_t pid_ = 0;
  int out_ = -1;
  int err_ = -1;
};

struct Reply {
  int status;
  json body;
};

class Client {
 public:
  explicit Client(const std::string& port) : socket_(io_) {
    asio::connect(socket_, tcp::resolver(io_).resolve("127.0.0.1", port));
  }

  void Start(const std::string& method, const std::string& target, const std::string& body = "") {
    http::request<http::string_body> request(http::string_to_verb(method), target, 11);
    request.set(http::field::host, "127.0.0.1");
    request.set(http::field::authorization, "Bearer " + key);
    request.set("X-Tenant-ID", tenant);
    request.set("X-Reviewer-ID", "rev-1");
    request.body() = body;
    request.prepare_payload();
    http::write(socket_, request);
  }

  Reply Finish() {
    const auto answer = FinishText();
    const std::string& text = answer.body();
    return {static_cast<int>(answer.result_int()), text.empty() ? json() : json::parse(text)};
  }

  // Whether it is JSON or not.
  http::response<http::string_body> FinishText() {
    http::response_parser<http::string_body> parser;
    parser.body_limit(boost::none);
    http::read(socket_, buffer_, parser);
    return parser.release();
  }

  // The header as it comes.
  std::string FinishRaw() {
    asio::streambuf buffer;
    const std::size_t size = asio::read_until(socket_, buffer, "\r\n\r\n");
    return {asio::buffers_begin(buffer.data()),
            asio::buffers_begin(buffer.data()) + static_cast<std::ptrdiff_t>(size)};
  }

  Reply Call(const std::string& method, const std::string& target, const std::string& body = "") {
    Start(method, target, body);
    return Finish();
  }

  void Write(const std::string& text) { asio::write(socket_, asio::buffer(text)); }
  tcp::socket& socket() { return socket_; }

  std::string key = "test_sk_sandbox";
  std::string tenant = kTenant;

 private:
  asio::io_context io_;
  tcp::socket socket_;
  boost::beast::flat_buffer buffer_;
};

inline std::int64_t NowMillis() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

class ProgramTest : public testing::Test {
 protected:
  void Start(std::vector<std::string> flags = {}) {
    flags.insert(flags.end(), {"--listen", "127.0.0.1:0"});
    program_ = std::make_unique<Process>(std::move(flags));
    const std::string line = program_->OutLine();
    ASSERT_THAT(line, testing::StartsWith("listening on 127.0.0.1:"));
    port_ = line.substr(line.rfind(':') + 1);
  }

  // Asks until it holds; false when it does not within 5 seconds.
  static bool Await(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + 5s;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(1ms);
    }
    return true;
  }

  json Requests(const std::string& path_prefix) {
    return Client(port_)
        .Call("GET", "/__sandbox/requests?path_prefix=" + path_prefix)
        .body["requests"];
  }

  // The only request below the prefix, once it has the outcome; waits at most 5 seconds.
  json AwaitOutcome(const std::string& path_prefix, const std::string& outcome) {
    json requests;
    const bool came = Await([&] {
      requests = Requests(path_prefix);
      return requests.size() == 1 && requests[0]["outcome"] == outcome;
    });
    if (came) return requests[0];
    ADD_FAILURE() << "no " << outcome << " request below " << path_prefix << ": " << requests;
    return {};
  }

  void SetFault(const std::string& fault) {
    ASSERT_EQ(Client(port_).Call("POST", "/__sandbox/faults", fault).status, 200);
  }

  // Creates and completes a verification; its record after that.
  json RunFlow(Client& client, const std::string& external_id) {
    const json created =
        client.Call("POST", "/api/v1/idv/verifications", json{{"externalId", external_id}}.dump())
            .body;
    const std::string at = "/api/v1/idv/verifications/" + std::string(created["id"]);
    EXPECT_EQ(created["status"], "pending");
    for (const auto& [path, body] : std::vector<std::pair<std::string, std::string>>{
             {"/document", R"({"documentType":"ghana_card","imageBase64":"AAAA","country":"GH"})"},
             {"/document/back", R"({"imageBase64":"AAAA"})"},
             {"/selfie", R"({"imageBase64":"AAAA"})"},
             {"/liveness/session", ""},
             {"/liveness/challenge", R"({"challengeType":"blink","imageBase64":"AAAA"})"},
             {"/liveness/frames", R"({"frames":["AAAA"],"challengeType":"turn_left"})"}}) {
      EXPECT_EQ(client.Call("POST", at + path, body).status, 200) << path;
    }
    return client.Call("POST", at + "/complete").body;
  }

  std::unique_ptr<Process> program_;
  std::string port_;
};

}  // namespace idv::sandbox

#endif  // TESTS_UPSTREAM_SANDBOX_PROGRAM_H_
