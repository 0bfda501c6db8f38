#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include <nlohmann/json.hpp>

namespace idv::bench::storm {

// What an upstream got.
struct UpstreamRequests {
  uint64_t refused() const { return with(429); }
  uint64_t with(int status) const {
    const auto found = by_status.find(status);
    return found == by_status.end() ? 0 : found->second;
  }

  // Of them, those whose answer was not seen.
  uint64_t unseen() const;

  uint64_t total = 0;
  // A client that leaves gets none.
  std::map<int, uint64_t> by_status;
};

// Counts the requests that an idv-sandbox gets from here on, by reading its log every few seconds,
// which does not keep them all.
class RequestCounter {
 public:
  explicit RequestCounter(const std::string& root_url);

  // All up to now. Throws Broken when the log could not be read.
  UpstreamRequests Finish();

 private:
  void ReadOften(const std::stop_token& stop);
  void Read();
  void Count(const nlohmann::json& requests);

  const std::string log_url_;
  // Below are the reader's, until it is joined.
  uint64_t last_id_ = 0;
  UpstreamRequests requests_;
  std::string problem_;

  std::jthread reader_;
};

}  // namespace idv::bench::storm
