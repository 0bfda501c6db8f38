#ifndef UPSTREAM_SANDBOX_FAULTS_H_
#define UPSTREAM_SANDBOX_FAULTS_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "upstream/sandbox/json.h"

namespace idv::sandbox {

enum class FaultKind {
  kLatency,  // the request is handled and answered after `delay`
  kHang,     // the request is neither handled nor answered
};

// What goes wrong, and for which requests. An empty condition fits all of them.
struct Fault {
  FaultKind kind = FaultKind::kLatency;
  std::string path_prefix;         // of the path below the API's base, percent-encoded as sent
  std::string method;              // in capitals
  std::string external_id_prefix;  // of the verification that the request is about
  std::chrono::milliseconds delay{0};
  std::optional<std::uint64_t> times;  // requests left for it; none = no end
  std::uint64_t id = 0;
};

struct FaultTarget {
  std::string_view method;
  std::string_view path;
  std::string_view external_id;
};

// What is to be done to one request.
struct FaultPlan {
  std::chrono::milliseconds delay{0};
  bool hang = false;
};

// The faults in force. Belongs to one thread.
class Faults {
 public:
  // Returns the fault's id, from 1.
  std::uint64_t Add(Fault fault);
  void Clear() { faults_.clear(); }
  const std::vector<Fault>& All() const { return faults_; }

  // Whether FaultTarget::external_id matters to any fault.
  bool AskForExternalId() const;

  // All faults that fit, together: delays add up. Counts as one use of each of them.
  FaultPlan Take(const FaultTarget& target);

 private:
  std::vector<Fault> faults_;
  std::uint64_t last_id_ = 0;
};

// {"kind": "latency" | "hang", "path_prefix", "method", "external_id_prefix", "milliseconds",
// "times"}. On failure the text says everything that is wrong.
struct ParsedFault {
  Fault fault;
  std::string problems;  // empty = good
};
ParsedFault ParseFault(std::string_view json);
Json FaultJson(const Fault& fault);

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_FAULTS_H_
