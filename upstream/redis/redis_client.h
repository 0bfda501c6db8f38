#pragma once

#include <absl/status/statusor.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "upstream/redis/redis_connection.h"

namespace idv {

// Asks a Redis server without blocking who asks: on a thread and a connection of its own, all that
// was asked meanwhile at once. While the server is out of reach nobody waits for it; it is tried
// again every second, and looked after as often when nobody asks. Thread-safe.
class RedisClient {
 public:
  struct Options {
    RedisConnection::Options connection;
    // Reads it for each connection, so that it may be replaced; empty: there is none.
    std::function<absl::StatusOr<std::string>()> password;
    // Is told when the server gets out of reach (an error that names it), and when it is there
    // again (OK); on the client's thread.
    std::function<void(const absl::Status&)> report;
  };

  // The reply, never an error of the server's; kUnavailable: there is none.
  using OnReply = std::function<void(absl::StatusOr<RedisReply>)>;

  explicit RedisClient(Options options);
  // Ends what was asked with kUnavailable.
  ~RedisClient();
  RedisClient(const RedisClient&) = delete;
  RedisClient& operator=(const RedisClient&) = delete;

  const std::string& address() const { return options_.connection.address; }
  // Whether it answered the last time. Before the first answer it counts as out of reach.
  bool is_up() const { return is_up_; }

  // `on_reply` is called once, on the client's thread, or on this one if the server is out of
  // reach.
  void Ask(RedisCommand command, OnReply on_reply);

 private:
  struct Question {
    RedisCommand command;
    OnReply on_reply;
  };

  void Run();
  void LookAfter();
  void Answer(std::vector<Question> questions);
  absl::StatusOr<std::vector<RedisReply>> Try(const std::vector<RedisCommand>& commands);
  absl::Status Connect();
  void Note(const absl::Status& status);

  const Options options_;
  std::atomic<bool> is_up_ = false;

  // Of the thread:
  std::unique_ptr<RedisConnection> connection_;
  bool was_reported_ = false;  // that it is out of reach

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Question> questions_;  // protected by mutex_
  bool is_ending_ = false;           // protected by mutex_

  std::thread thread_;  // uses all of the above
};

}  // namespace idv
