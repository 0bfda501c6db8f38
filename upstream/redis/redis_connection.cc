#include "upstream/redis/redis_connection.h"

#include <absl/strings/str_cat.h>
#include <hiredis/hiredis.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

namespace idv {
namespace {

using std::chrono::steady_clock;

std::string Encoded(const std::vector<RedisCommand>& commands) {
  std::string bytes;
  for (const RedisCommand& command : commands) {
    std::vector<const char*> words;
    std::vector<size_t> lengths;
    for (const std::string& word : command) {
      words.push_back(word.data());
      lengths.push_back(word.size());
    }
    char* encoded = nullptr;
    const long long length = redisFormatCommandArgv(&encoded, static_cast<int>(words.size()),
                                                    words.data(), lengths.data());
    bytes.append(encoded, static_cast<size_t>(length));
    redisFreeCommand(encoded);
  }
  return bytes;
}

absl::Status Broken(absl::string_view what) {
  return absl::UnavailableError(absl::StrCat("the connection broke: ", what));
}

}  // namespace

void RedisReplyDeleter::operator()(redisReply* reply) const { freeReplyObject(reply); }

void RedisConnection::ReaderDeleter::operator()(redisReader* reader) const {
  redisReaderFree(reader);
}

RedisConnection::RedisConnection(const Options& options, CURL* curl)
    : options_(options), curl_(curl), reader_(redisReaderCreate()) {}

RedisConnection::~RedisConnection() = default;

absl::StatusOr<std::unique_ptr<RedisConnection>> RedisConnection::Open(
    const Options& options, const std::string& password) {
  std::unique_ptr<RedisConnection> connection(new RedisConnection(options, curl_easy_init()));
  absl::Status connected = connection->Connect(password);
  if (!connected.ok()) return connected;
  return connection;
}

absl::Status RedisConnection::Connect(const std::string& password) {
  CURL* const curl = curl_.get();
  const std::string url = absl::StrCat(options_.tls ? "https://" : "http://", options_.address);
  std::array<char, CURL_ERROR_SIZE> why{};
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why.data());
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.timeout.count()));
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(curl, CURLOPT_SSL_ENABLE_ALPN, 0L);  // it would offer HTTP
  const auto set_file = [&](CURLoption option, const std::string& file) {
    if (!file.empty()) curl_easy_setopt(curl, option, file.c_str());
  };
  set_file(CURLOPT_CAINFO, options_.ca_file);
  set_file(CURLOPT_SSLCERT, options_.cert_file);
  set_file(CURLOPT_SSLKEY, options_.key_file);
  const CURLcode code = curl_easy_perform(curl);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, nullptr);
  if (code != CURLE_OK) {
    return absl::UnavailableError(why[0] != '\0' ? why.data() : curl_easy_strerror(code));
  }
  curl_easy_getinfo(curl, CURLINFO_ACTIVESOCKET, &socket_);

  if (password.empty()) return absl::OkStatus();
  const absl::StatusOr<std::vector<RedisReply>> replies = Ask({{"AUTH", password}});
  if (!replies.ok()) return replies.status();
  if (replies->front()->type != REDIS_REPLY_ERROR) return absl::OkStatus();
  return absl::PermissionDeniedError("the password is not taken");
}

absl::StatusOr<std::vector<RedisReply>> RedisConnection::Ask(
    const std::vector<RedisCommand>& commands) {
  const steady_clock::time_point deadline = steady_clock::now() + options_.timeout;
  absl::Status sent = Send(Encoded(commands), deadline);
  if (!sent.ok()) return sent;
  std::vector<RedisReply> replies;
  while (replies.size() < commands.size()) {
    absl::StatusOr<RedisReply> reply = Receive(deadline);
    if (!reply.ok()) return reply.status();
    replies.push_back(*std::move(reply));
  }
  return replies;
}

absl::Status RedisConnection::Send(const std::string& bytes, steady_clock::time_point deadline) {
  for (size_t sent = 0; sent < bytes.size();) {
    size_t more = 0;
    const CURLcode code =
        curl_easy_send(curl_.get(), bytes.data() + sent, bytes.size() - sent, &more);
    sent += more;
    if (code == CURLE_AGAIN) {
      absl::Status ready = AwaitSocket(POLLOUT, deadline);
      if (!ready.ok()) return ready;
    } else if (code != CURLE_OK) {
      return Broken(curl_easy_strerror(code));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<RedisReply> RedisConnection::Receive(steady_clock::time_point deadline) {
  std::array<char, 4096> bytes;
  for (;;) {
    void* reply = nullptr;
    if (redisReaderGetReply(reader_.get(), &reply) != REDIS_OK) {
      return Broken("what came is not the protocol of Redis");
    }
    if (reply != nullptr) return RedisReply(static_cast<redisReply*>(reply));

    size_t length = 0;
    const CURLcode code = curl_easy_recv(curl_.get(), bytes.data(), bytes.size(), &length);
    if (code == CURLE_AGAIN) {
      absl::Status ready = AwaitSocket(POLLIN, deadline);
      if (!ready.ok()) return ready;
    } else if (code != CURLE_OK) {
      return Broken(curl_easy_strerror(code));
    } else if (length == 0) {
      return Broken("the server has closed it");
    } else {
      redisReaderFeed(reader_.get(), bytes.data(), length);
    }
  }
}

absl::Status RedisConnection::AwaitSocket(short events, steady_clock::time_point deadline) const {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now());
  pollfd waited{.fd = socket_, .events = events, .revents = 0};
  const int ready = poll(&waited, 1, std::max(0, static_cast<int>(left.count())));
  if (ready > 0) return absl::OkStatus();
  if (ready < 0 && errno == EINTR) return absl::OkStatus();  // whoever asked looks again
  return absl::DeadlineExceededError(
      absl::StrCat("there was no answer in ", options_.timeout.count(), " ms"));
}

}  // namespace idv
