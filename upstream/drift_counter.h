#pragma once

#include <google/protobuf/descriptor.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "upstream/json_decoder.h"

namespace idv {

// Counts what answers of the upstream hold that the proto does not know, per RPC and key. Bounded,
// so that an upstream with ever new keys cannot fill the memory. Thread-safe.
class DriftCounter {
 public:
  // Different keys and values kept per RPC; what comes beyond is counted as "(other)".
  static constexpr size_t kMaxPerMethod = 64;
  // Of a key or a value; the rest is cut.
  static constexpr size_t kMaxNameBytes = 64;

  struct Key {
    std::string method;  // full name
    Drift::Kind kind;
    std::string name;  // "message.key" or "field=value"
    auto operator<=>(const Key&) const = default;
  };

  // True when this is the first of its kind.
  bool Count(const google::protobuf::MethodDescriptor& method, const Drift& drift);

  std::map<Key, uint64_t> Snapshot() const;

  // How `drift` is named in counts and logs.
  static std::string NameOf(const Drift& drift);

 private:
  mutable std::mutex mutex_;
  std::map<Key, uint64_t> counts_;                // protected by mutex_
  std::map<std::string, size_t> kept_by_method_;  // protected by mutex_
};

}  // namespace idv
