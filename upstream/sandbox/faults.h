#ifndef UPSTREAM_SANDBOX_FAULTS_H_
#define UPSTREAM_SANDBOX_FAULTS_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "upstream/sandbox/http_message.h"

namespace idv::sandbox {

enum class FaultKind {
  // The answer waits for `delay`, or for ever; the request is not handled before.
  kLatency,
  kHang,
  // Another answer than that of the API, which does not learn of the request.
  kStatus,          // `status`, `content_type`, `headers` and `body`
  kUnauthorized,    // 401 to all keys but `until_key`
  kLengthRequired,  // 411 to requests in chunks
  // The connection ends at the moment `at`: with RST, or with FIN.
  kReset,
  kClose,
  // The request is handled, and then its answer spoilt.
  kHalfJson,
  kHtml,
  kWrongTypes,
  kUnknownKeys,
  kUnknownEnums,
  kLargeHeader,  // with `bytes` of headers
  kGzipBomb,     // that unpacks to `bytes`
  kEndless,
  // At most `bytes_per_second`.
  kSlowReading,
  kSlowWriting,
};

enum class Moment {
  kRequestHeader,  // when the request's header was read
  kRequestBody,    // in the middle of its body, of one in chunks after the first 64 KiB
  kBeforeAnswer,   // when the request was read and handled
  kDuringAnswer,   // in the middle of the answer
  kAfterAnswer,
};

// What goes wrong, and for which requests. An empty condition fits all of them.
struct Fault {
  FaultKind kind = FaultKind::kLatency;

  std::string path_prefix;         // of the path below the API's base, percent-encoded as sent
  std::string endpoint;            // as Api::EndpointOf() names it
  std::string method;              // in capitals
  std::string tenant_id;           // in lower case
  std::string external_id_prefix;  // of the verification that the request is about
  // Of a request that fits otherwise to be hit; by a generator of random numbers of its own, begun
  // with the seed.
  double probability = 1;
  std::uint64_t seed = 0;
  std::optional<std::uint64_t> times;                 // requests left for it; none = no end
  std::optional<std::chrono::milliseconds> lifetime;  // from when it was set; none = no end

  // What its kind needs.
  std::chrono::milliseconds delay{0};
  int status = 0;
  std::string body;
  std::string content_type;
  Headers headers;
  bool early = false;  // the status comes without the request's body being read
  std::string until_key;
  Moment at = Moment::kBeforeAnswer;
  std::uint64_t bytes = 0;
  std::uint64_t bytes_per_second = 0;  // zero = no limit

  std::uint64_t id = 0;
};

// Faults strike a request twice: when its header was read, and when all of it was.
enum class Phase { kBeforeBody, kBeforeAnswer };

Phase PhaseOf(const Fault& fault);

struct FaultTarget {
  Phase phase = Phase::kBeforeAnswer;
  std::string_view method;
  std::string_view path;
  std::string_view endpoint;
  std::string_view tenant_id;
  // Of a verification that is being created, known only before the answer.
  std::string_view external_id;
  std::string_view key;
  bool is_chunked = false;
};

// The faults that strike one request in one phase, in the order they were set.
class FaultPlan {
 public:
  FaultPlan() = default;
  explicit FaultPlan(std::vector<Fault> faults) : faults_(std::move(faults)) {}

  // The first of its kind; nullptr when there is none.
  const Fault* Find(FaultKind kind) const;
  // The first that ends the connection at that moment.
  const Fault* FindEnd(Moment at) const;
  // Of all of them; nothing = for ever.
  std::optional<std::chrono::milliseconds> Delay() const;

 private:
  std::vector<Fault> faults_;
};

// The faults in force. Belongs to one thread.
class Faults {
 public:
  using Now = std::chrono::steady_clock::time_point;

  // Returns the fault's id, from 1.
  std::uint64_t Add(Fault fault, Now now);
  void Clear() { faults_.clear(); }
  // Has Reset() bring back those that are in force now.
  void Keep() { kept_ = faults_; }
  void Reset(Now now);
  std::vector<Fault> All(Now now);

  bool Any() const { return !faults_.empty(); }
  // Whether FaultTarget::external_id matters to any fault.
  bool AskForExternalId() const;

  // Those that fit. Counts as one use of each of them.
  FaultPlan Take(const FaultTarget& target, Now now);

 private:
  struct Entry {
    Fault fault;
    Now set_at;
    std::mt19937_64 random;
  };
  void DropOutlived(Now now);

  std::vector<Entry> faults_;
  std::vector<Entry> kept_;
  std::uint64_t last_id_ = 0;
};

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_FAULTS_H_
