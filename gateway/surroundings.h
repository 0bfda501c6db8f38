#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace idv {

// What the pages show of a gateway that its server does not know.
struct Surroundings {
  using WallTime = std::chrono::system_clock::time_point;

  std::string version;
  WallTime started_at;
  // What does not change while it runs.
  std::vector<std::string> grpc_addresses;
  std::string admin_address;
  std::string transport;  // "plaintext", "tls" or "mutual tls"
  std::string upstream;   // base URL
  int shards = 0;
  bool can_trace = false;  // built in
  // What does:
  // When those in use are valid no longer, by their keys in the configuration.
  std::function<std::vector<std::pair<std::string, WallTime>>()> certificates;
  std::function<uint64_t()> dropped_lines;
  std::function<uint64_t()> exported_spans;
  std::function<uint64_t()> dropped_spans;
};

}  // namespace idv
