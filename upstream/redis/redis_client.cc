#include "upstream/redis/redis_client.h"

#include <absl/strings/str_cat.h>
#include <hiredis/hiredis.h>

#include <utility>

namespace idv {
namespace {

// Between two looks at a server that nobody asks, or that is out of reach.
constexpr std::chrono::seconds kPulse{1};

absl::Status OutOfReach() { return absl::UnavailableError("Redis is out of reach"); }

absl::Status FirstError(const std::vector<RedisReply>& replies) {
  for (const RedisReply& reply : replies) {
    if (reply->type != REDIS_REPLY_ERROR) continue;
    return absl::UnavailableError(absl::string_view(reply->str, reply->len));
  }
  return absl::OkStatus();
}

}  // namespace

RedisClient::RedisClient(Options options)
    : options_(std::move(options)), thread_([this] { Run(); }) {}

RedisClient::~RedisClient() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
  for (const Question& question : questions_) question.on_reply(OutOfReach());
}

void RedisClient::Ask(RedisCommand command, OnReply on_reply) {
  if (!is_up_) {
    on_reply(OutOfReach());
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    questions_.push_back({std::move(command), std::move(on_reply)});
  }
  changed_.notify_one();
}

void RedisClient::Run() {
  LookAfter();
  for (;;) {
    std::vector<Question> questions;
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, kPulse, [this] { return is_ending_ || !questions_.empty(); });
      if (is_ending_) return;
      questions.swap(questions_);
    }
    if (questions.empty()) {
      LookAfter();
    } else {
      Answer(std::move(questions));
    }
  }
}

// Writes, since a server may answer that does not take that: a replica, or one that is full.
void RedisClient::LookAfter() {
  Note(Try({{"SET", "idv-gateway:pulse", "1", "PX", "2000"}}).status());
}

void RedisClient::Answer(std::vector<Question> questions) {
  std::vector<RedisCommand> commands;
  commands.reserve(questions.size());
  for (Question& question : questions) commands.push_back(std::move(question.command));
  absl::StatusOr<std::vector<RedisReply>> replies = Try(commands);
  // Before anybody can ask for more.
  Note(replies.status());
  for (size_t i = 0; i < questions.size(); ++i) {
    if (replies.ok()) {
      questions[i].on_reply(std::move((*replies)[i]));
    } else {
      questions[i].on_reply(OutOfReach());
    }
  }
}

// Once more if the connection was an old one, which the server or something between may have
// closed.
absl::StatusOr<std::vector<RedisReply>> RedisClient::Try(
    const std::vector<RedisCommand>& commands) {
  for (bool is_old = connection_ != nullptr;; is_old = false) {
    if (connection_ == nullptr) {
      absl::Status connected = Connect();
      if (!connected.ok()) return connected;
    }
    absl::StatusOr<std::vector<RedisReply>> replies = connection_->Ask(commands);
    if (replies.ok()) {
      absl::Status refused = FirstError(*replies);
      if (!refused.ok()) return refused;
      return replies;
    }
    connection_.reset();
    if (!is_old || absl::IsDeadlineExceeded(replies.status())) return replies;
  }
}

absl::Status RedisClient::Connect() {
  const absl::StatusOr<std::string> password = options_.password();
  if (!password.ok()) return password.status();
  absl::StatusOr<std::unique_ptr<RedisConnection>> connection =
      RedisConnection::Open(options_.connection, *password);
  if (!connection.ok()) return connection.status();
  connection_ = *std::move(connection);
  return absl::OkStatus();
}

void RedisClient::Note(const absl::Status& status) {
  is_up_ = status.ok();
  if (status.ok() != was_reported_) return;  // nothing new
  was_reported_ = !status.ok();
  if (!options_.report) return;
  options_.report(status.ok() ? status
                              : absl::Status(status.code(), absl::StrCat("Redis at ", address(),
                                                                         ": ", status.message())));
}

}  // namespace idv
