#include "tests/bench/storm/request_counter.h"

#include <algorithm>
#include <chrono>

#include "tests/bench/stage.h"
#include "tests/bench/storm/http.h"

namespace idv::bench::storm {
namespace {

constexpr auto kPeriod = std::chrono::seconds(5);

// Returns early when it is to stop.
void Sleep(const std::stop_token& stop) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any().wait_for(lock, stop, kPeriod, [] { return false; });
}

}  // namespace

uint64_t UpstreamRequests::unseen() const {
  uint64_t seen = 0;
  for (const auto& [status, count] : by_status) seen += count;
  return total - seen;
}

RequestCounter::RequestCounter(const std::string& root_url)
    : log_url_(root_url + "/__sandbox/requests") {
  Read();
  requests_ = {};
  reader_ = std::jthread([this](const std::stop_token& stop) { ReadOften(stop); });
}

UpstreamRequests RequestCounter::Finish() {
  reader_.request_stop();
  reader_.join();
  if (!problem_.empty()) throw Broken(problem_);
  Read();
  return requests_;
}

void RequestCounter::ReadOften(const std::stop_token& stop) {
  try {
    for (Sleep(stop); !stop.stop_requested(); Sleep(stop)) Read();
  } catch (const Broken& broken) {
    problem_ = broken.what();
  }
}

void RequestCounter::Read() {
  const HttpAnswer log = SendHttp("GET", log_url_);
  if (log.status != 200) throw Broken("the sandbox does not show its requests");
  SendHttp("DELETE", log_url_);
  Count(log.body.at("requests"));
}

// Ids are given in turn: they also tell of requests that came between the reading and the deletion,
// or had no answer yet. Those are few, and count without a status.
void RequestCounter::Count(const nlohmann::json& requests) {
  for (const nlohmann::json& request : requests) {
    const uint64_t id = request.at("id").get<uint64_t>();
    requests_.total += id - last_id_;
    last_id_ = id;
    if (request.contains("status")) ++requests_.by_status[request.at("status").get<int>()];
  }
}

}  // namespace idv::bench::storm
