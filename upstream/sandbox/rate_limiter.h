#ifndef UPSTREAM_SANDBOX_RATE_LIMITER_H_
#define UPSTREAM_SANDBOX_RATE_LIMITER_H_

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "upstream/sandbox/timestamps.h"

namespace idv::sandbox {

// What a tenant has booked (upstream-api.md section 5). Verifications a month are not limited here.
struct Plan {
  std::string_view name;
  int requests_per_minute;
  int requests_per_hour;
};

// "basic", "professional" or "enterprise"; nullptr for any other name.
const Plan* FindPlan(std::string_view name);

// "basic, professional or enterprise", for messages.
std::string_view PlanNames();

// Counts the requests of each tenant in windows of a minute and of an hour. A window begins with
// the first request after the last one has ended; a refused request is not counted [infer]. For one
// thread.
class RateLimiter {
 public:
  struct Verdict {
    // The headers of section 5. Of the minute, unless it is the hour that leaves less.
    int limit;  // always of the minute
    int remaining;
    Time reset;
    // Set = refused: how long until both windows have room again, in whole seconds, at least one.
    std::optional<std::chrono::seconds> retry_after;
  };

  Verdict Take(std::string_view tenant_id, const Plan& plan, Time now);
  // All windows begin anew.
  void Clear() { windows_.clear(); }

 private:
  struct Window {
    void Renew(Time now, std::chrono::seconds length);

    Time end;  // the epoch before the first request
    int used = 0;
  };
  struct Windows {
    Window minute;
    Window hour;
  };

  std::unordered_map<std::string, Windows> windows_;  // by tenant id
};

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_RATE_LIMITER_H_
