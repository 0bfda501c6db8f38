#pragma once

#include <absl/status/statusor.h>

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "upstream/allowance.h"
#include "upstream/loop/cancellation.h"
#include "upstream/loop/loop.h"
#include "upstream/loop/task.h"
#include "upstream/loop/timers.h"
#include "upstream/rate_limit.h"
#include "upstream/redis/redis_client.h"

namespace idv {

// What the upstream allows one tenant, counted in Redis by all gateways that serve it: so that
// together they keep to it, each after its own budget has granted a request. The windows are
// RateWindow's: they begin with a request, and for sure when the first of them has been answered. A
// refusal by the upstream holds for all. Of who waits where the server knows nothing: whoever asks
// first gets what is left. Thread-safe.
class SharedAllowance : public std::enable_shared_from_this<SharedAllowance> {
 public:
  // One request that was counted. Gives itself back when it goes, unless it was spent.
  class Permit {
   public:
    Permit(Permit&& other) noexcept = default;
    Permit& operator=(Permit&&) = delete;
    ~Permit();

    // The request was sent, so many times, and `notice` came of it.
    void Spend(int times, const RateLimitNotice& notice);

   private:
    friend SharedAllowance;
    // What it was counted in, by when they began. Sure: their ends are known.
    struct Windows {
      int64_t minute = 0;
      int64_t hour = 0;
      bool are_sure = false;
    };

    Permit(std::shared_ptr<SharedAllowance> allowance, const Windows& windows)
        : allowance_(std::move(allowance)), windows_(windows) {}

    std::shared_ptr<SharedAllowance> allowance_;
    Windows windows_;
  };

  // Neither of both: the server is out of reach, or nobody waited for its answer any more.
  struct Answer {
    std::optional<Permit> permit;
    // Until there is one again, if none is left.
    std::optional<std::chrono::milliseconds> wait;
  };

  // Borrows the client, which must outlive every permit and whoever takes one.
  SharedAllowance(RedisClient& redis, const std::string& tenant_id);

  // Counts a request, if `limits` have room for it. Waits for the server up to the deadline, or
  // until `cancel` fires. Borrows both.
  Task<Answer> Take(Allowance::Limits limits, Loop& loop, TimePoint deadline, Cancellation& cancel);

 private:
  class Asked;

  void Ask(std::initializer_list<std::string> arguments, RedisClient::OnReply on_reply) const;
  Answer Read(const redisReply& reply);
  void GiveBack(const Permit::Windows& windows);
  void Settle(const Permit::Windows& windows, int times, const RateLimitNotice& notice);

  RedisClient& redis_;
  const std::string key_;
};

}  // namespace idv
