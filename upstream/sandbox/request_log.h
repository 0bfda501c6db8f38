#ifndef UPSTREAM_SANDBOX_REQUEST_LOG_H_
#define UPSTREAM_SANDBOX_REQUEST_LOG_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "upstream/sandbox/http_message.h"
#include "upstream/sandbox/json.h"
#include "upstream/sandbox/timestamps.h"

namespace idv::sandbox {

// What the sandbox received, so that a test can prove what was sent, and what was not. A request is
// in it from the moment its header was read. Holds no body, only its size and SHA-256. Keeps the
// newest `capacity` requests; news of one that is gone are ignored. Belongs to one thread.
class RequestLog {
 public:
  // Of a request, from 1, never used twice.
  using Id = std::uint64_t;

  explicit RequestLog(std::size_t capacity = 20000) : capacity_(capacity) {}

  Id Begin(std::shared_ptr<const RequestHead> head, Time now);
  void AddBody(Id id, std::uint64_t bytes);
  // `complete`: the body arrived to its end; otherwise the hash is that of the part that did.
  void EndBody(Id id, std::string sha256, bool complete);
  void Answered(Id id, int status, Time now);
  // The client went away before its answer was written.
  void Aborted(Id id, Time now);
  // A fault has ended the connection before.
  void Ended(Id id, Time now);

  void Clear();

  // {"requests": [...]}, oldest first; those whose path, whole or below the base, starts with the
  // prefix.
  Json ToJson(std::string_view path_prefix) const;

 private:
  enum class Ending { kPending, kAnswered, kAborted, kEnded };
  struct Entry {
    std::shared_ptr<const RequestHead> head;
    Time received_at;
    Time ended_at;
    std::uint64_t body_bytes = 0;
    std::string body_sha256;
    bool body_complete = false;
    Ending ending = Ending::kPending;
    int status = 0;
  };

  Entry* Find(Id id);
  Entry* End(Id id, Ending ending, Time now);
  static Json EntryJson(Id id, const Entry& entry);

  const std::size_t capacity_;
  std::deque<Entry> entries_;
  Id first_id_ = 1;  // of entries_.front()
};

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_REQUEST_LOG_H_
