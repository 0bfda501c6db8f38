#include "upstream/sandbox/request_log.h"

#include <utility>

#include "upstream/sandbox/api.h"

namespace idv::sandbox {
namespace {

// A header that came several times is one with its values joined (RFC 9110 section 5.3).
Json HeadersJson(const RequestHead& head) {
  Json headers = Json::object();
  for (const auto& [name, value] : head.headers) {
    const auto known = headers.find(name);
    if (known == headers.end()) {
      headers[name] = value;
    } else {
      *known = known->get<std::string>() + ", " + value;
    }
  }
  return headers;
}

}  // namespace

RequestLog::Id RequestLog::Begin(std::shared_ptr<const RequestHead> head, Time now) {
  if (entries_.size() == capacity_) {
    entries_.pop_front();
    ++first_id_;
  }
  Entry entry;
  entry.head = std::move(head);
  entry.received_at = now;
  entries_.push_back(std::move(entry));
  return first_id_ + entries_.size() - 1;
}

RequestLog::Entry* RequestLog::Find(Id id) {
  if (id < first_id_ || id - first_id_ >= entries_.size()) return nullptr;
  return &entries_[id - first_id_];
}

void RequestLog::AddBody(Id id, std::uint64_t bytes) {
  if (Entry* const entry = Find(id)) entry->body_bytes += bytes;
}

void RequestLog::EndBody(Id id, std::string sha256, bool complete) {
  Entry* const entry = Find(id);
  if (entry == nullptr) return;
  entry->body_sha256 = std::move(sha256);
  entry->body_complete = complete;
}

RequestLog::Entry* RequestLog::End(Id id, Ending ending, Time now) {
  Entry* const entry = Find(id);
  if (entry == nullptr) return nullptr;
  entry->ending = ending;
  entry->ended_at = now;
  return entry;
}

void RequestLog::Answered(Id id, int status, Time now) {
  if (Entry* const entry = End(id, Ending::kAnswered, now)) entry->status = status;
}

void RequestLog::Aborted(Id id, Time now) { End(id, Ending::kAborted, now); }

void RequestLog::Ended(Id id, Time now) { End(id, Ending::kEnded, now); }

void RequestLog::Clear() {
  first_id_ += entries_.size();
  entries_.clear();
}

Json RequestLog::EntryJson(Id id, const Entry& entry) {
  Json json = {{"id", id},
               {"method", entry.head->method},
               {"path", entry.head->path},
               {"query", entry.head->query},
               {"headers", HeadersJson(*entry.head)},
               {"body_bytes", entry.body_bytes},
               {"body_sha256", entry.body_sha256},
               {"body_complete", entry.body_complete},
               {"outcome", "pending"},
               {"received_at_ms", UnixMillis(entry.received_at)}};
  if (entry.ending == Ending::kPending) return json;
  const bool answered = entry.ending == Ending::kAnswered;
  json["outcome"] = answered ? "answered" : entry.ending == Ending::kAborted ? "aborted" : "ended";
  if (answered) json["status"] = entry.status;
  json["ended_at_ms"] = UnixMillis(entry.ended_at);
  return json;
}

Json RequestLog::ToJson(std::string_view path_prefix) const {
  Json requests = Json::array();
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const RequestHead& head = *entries_[i].head;
    const bool wanted =
        head.path.starts_with(path_prefix) || FaultPath(head).starts_with(path_prefix);
    if (wanted) requests.push_back(EntryJson(first_id_ + i, entries_[i]));
  }
  return {{"requests", std::move(requests)}};
}

}  // namespace idv::sandbox
