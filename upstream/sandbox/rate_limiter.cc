#include "upstream/sandbox/rate_limiter.h"

#include <algorithm>
#include <array>

namespace idv::sandbox {
namespace {

constexpr std::array<Plan, 3> kPlans = {{
    {"basic", 10, 300},
    {"professional", 50, 1'500},
    {"enterprise", 200, 6'000},
}};

}  // namespace

const Plan* FindPlan(std::string_view name) {
  const auto* const plan = std::find_if(kPlans.begin(), kPlans.end(),
                                        [name](const Plan& known) { return known.name == name; });
  return plan == kPlans.end() ? nullptr : plan;
}

std::string_view PlanNames() { return "basic, professional or enterprise"; }

void RateLimiter::Window::Renew(Time now, std::chrono::seconds length) {
  // A clock that is set back begins a new one too.
  if (now < end && now >= end - length) return;
  end = now + length;
  used = 0;
}

RateLimiter::Verdict RateLimiter::Take(std::string_view tenant_id, const Plan& plan, Time now) {
  auto& [minute, hour] = windows_[std::string(tenant_id)];
  minute.Renew(now, std::chrono::minutes(1));
  hour.Renew(now, std::chrono::hours(1));

  std::optional<Time> free_at;
  if (minute.used >= plan.requests_per_minute) free_at = minute.end;
  if (hour.used >= plan.requests_per_hour) free_at = std::max(free_at.value_or(hour.end), hour.end);
  if (!free_at) {
    ++minute.used;
    ++hour.used;
  }

  const int of_minute = plan.requests_per_minute - minute.used;
  const int of_hour = plan.requests_per_hour - hour.used;
  Verdict verdict{.limit = plan.requests_per_minute,
                  .remaining = std::min(of_minute, of_hour),
                  .reset = of_hour < of_minute ? hour.end : minute.end,
                  .retry_after = std::nullopt};
  if (free_at) {
    verdict.reset = *free_at;
    verdict.retry_after = std::chrono::ceil<std::chrono::seconds>(*free_at - now);
  }
  return verdict;
}

}  // namespace idv::sandbox
