#pragma once

#include <absl/status/statusor.h>
#include <curl/curl.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

struct redisReply;
struct redisReader;

namespace idv {

using RedisCommand = std::vector<std::string>;

struct RedisReplyDeleter {
  void operator()(redisReply* reply) const;
};
// Of hiredis: an error of the server's is a reply too (REDIS_REPLY_ERROR).
using RedisReply = std::unique_ptr<redisReply, RedisReplyDeleter>;

// One connection to a Redis server, in its protocol RESP2, over TCP or TLS. libcurl connects, so
// that names, authorities and TLS are as with the upstream; hiredis reads and writes the protocol.
// Blocks. For one thread at a time.
class RedisConnection {
 public:
  struct Options {
    // HOST:PORT.
    std::string address;
    bool tls = false;
    // PEM; empty: the system's authorities, and no client certificate.
    std::string ca_file;
    std::string cert_file;
    std::string key_file;
    // For connecting, with the password, and for each Ask().
    std::chrono::milliseconds timeout{};
  };

  // Connects, and shows the password unless it is empty. kUnavailable: nobody answers in time, or
  // not with a certificate to be trusted; kPermissionDenied: the password is not taken.
  static absl::StatusOr<std::unique_ptr<RedisConnection>> Open(const Options& options,
                                                               const std::string& password);
  ~RedisConnection();
  RedisConnection(const RedisConnection&) = delete;
  RedisConnection& operator=(const RedisConnection&) = delete;

  // Sends all commands at once; the replies are in their order. After an error the connection is of
  // no use any more: kUnavailable: it broke, or what came is not the protocol; kDeadlineExceeded:
  // there was no answer in time.
  absl::StatusOr<std::vector<RedisReply>> Ask(const std::vector<RedisCommand>& commands);

 private:
  struct CurlDeleter {
    void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  };
  struct ReaderDeleter {
    void operator()(redisReader* reader) const;
  };

  RedisConnection(const Options& options, CURL* curl);
  absl::Status Connect(const std::string& password);
  absl::Status Send(const std::string& bytes, std::chrono::steady_clock::time_point deadline);
  absl::StatusOr<RedisReply> Receive(std::chrono::steady_clock::time_point deadline);
  absl::Status AwaitSocket(short events, std::chrono::steady_clock::time_point deadline) const;

  const Options options_;
  std::unique_ptr<CURL, CurlDeleter> curl_;
  std::unique_ptr<redisReader, ReaderDeleter> reader_;
  curl_socket_t socket_ = CURL_SOCKET_BAD;
};

}  // namespace idv
