#include "tests/e2e/dns_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <utility>

namespace idv::e2e {
namespace {

// RFC 1035, 4.1.1.
constexpr size_t kHeaderBytes = 12;
constexpr char kServerFailure = 2;
constexpr char kNameError = 3;

// Up to the end of the first question: its labels, of which the root's has no bytes, type and
// class.
size_t QuestionEnd(const std::string& query) {
  size_t at = kHeaderBytes;
  while (at < query.size() && query[at] != 0) at += static_cast<unsigned char>(query[at]) + 1U;
  return at + 5;
}

// An A record of the name that the question asks for, good for a minute.
std::string Record(const std::string& address) {
  in_addr binary{};
  inet_pton(AF_INET, address.c_str(), &binary);
  const std::string_view name("\xc0\x0c", 2);
  const std::string_view type_class_ttl_size("\0\1\0\1\0\0\0\x3c\0\4", 10);
  return std::string(name)
      .append(type_class_ttl_size)
      .append(reinterpret_cast<const char*>(&binary), sizeof binary);
}

}  // namespace

DnsServer::DnsServer() : socket_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(socket_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    std::abort();
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Run(); });
}

DnsServer::~DnsServer() {
  shutdown(socket_, SHUT_RDWR);
  thread_.join();
  close(socket_);
}

std::map<std::string, std::string> DnsServer::Environment() const {
  return {{"LD_PRELOAD", IDV_RESOLVER_PRELOAD}, {"IDV_TEST_DNS_PORT", std::to_string(port_)}};
}

void DnsServer::Answer(std::vector<std::string> addresses) {
  Set(Mode::kAddresses, std::move(addresses));
}
void DnsServer::AnswerUnknown() { Set(Mode::kUnknown, {}); }
void DnsServer::AnswerFailure() { Set(Mode::kFailure, {}); }
void DnsServer::StaySilent() { Set(Mode::kSilent, {}); }

void DnsServer::Set(Mode mode, std::vector<std::string> addresses) {
  const std::lock_guard lock(mutex_);
  mode_ = mode;
  addresses_ = std::move(addresses);
}

void DnsServer::Run() {
  for (;;) {
    std::array<char, 512> query{};
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const ssize_t got =
        recvfrom(socket_, query.data(), query.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (got <= 0) return;
    const std::string answer = AnswerTo(std::string(query.data(), static_cast<size_t>(got)));
    ++queries_;
    if (answer.empty()) continue;
    sendto(socket_, answer.data(), answer.size(), 0, reinterpret_cast<const sockaddr*>(&from),
           size);
  }
}

std::string DnsServer::AnswerTo(const std::string& query) {
  const std::lock_guard lock(mutex_);
  if (mode_ == Mode::kSilent || query.size() < QuestionEnd(query)) return {};
  char code = 0;
  if (mode_ == Mode::kUnknown) code = kNameError;
  if (mode_ == Mode::kFailure) code = kServerFailure;
  // The query's id; an answer, with recursion asked for and available; the counts of one question,
  // of the records, and of none besides.
  std::string answer = query.substr(0, 2);
  answer += {'\x81', static_cast<char>('\x80' | code), 0, 1};
  answer += {0, static_cast<char>(addresses_.size()), 0, 0, 0, 0};
  answer += query.substr(kHeaderBytes, QuestionEnd(query) - kHeaderBytes);
  for (const std::string& address : addresses_) answer += Record(address);
  return answer;
}

}  // namespace idv::e2e
