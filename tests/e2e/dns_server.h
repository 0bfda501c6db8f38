#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace idv::e2e {

// A DNS server on a free loopback port that says of every name what a test wants. Thread-safe. At
// first there are no names.
class DnsServer {
 public:
  DnsServer();
  ~DnsServer();
  DnsServer(const DnsServer&) = delete;
  DnsServer& operator=(const DnsServer&) = delete;

  // What has a program ask this server for names below ".test", and find 127.0.0.N at 203.0.113.N,
  // which is a public address.
  std::map<std::string, std::string> Environment() const;

  // From now on: IPv4 addresses, no such name, a failure of the server, or nothing at all.
  void Answer(std::vector<std::string> addresses);
  void AnswerUnknown();
  void AnswerFailure();
  void StaySilent();

  // So far.
  int queries() const { return queries_; }

 private:
  enum class Mode { kAddresses, kUnknown, kFailure, kSilent };

  void Set(Mode mode, std::vector<std::string> addresses);
  void Run();
  // Empty: none.
  std::string AnswerTo(const std::string& query);

  const int socket_;
  int port_ = 0;
  std::atomic<int> queries_ = 0;

  std::mutex mutex_;
  Mode mode_ = Mode::kUnknown;          // protected by mutex_
  std::vector<std::string> addresses_;  // protected by mutex_

  std::thread thread_;
};

}  // namespace idv::e2e
