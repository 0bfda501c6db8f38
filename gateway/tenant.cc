#include "gateway/tenant.h"

#include <functional>
#include <utility>

#include "gateway/await_refresh.h"

namespace idv {

Task<std::optional<Sender>> KeyInsteadOf(const Sender& refused, const Tenant& tenant, Loop& loop,
                                         TimePoint deadline, Cancellation& cancel) {
  const bool may_be_news =
      tenant.secret != nullptr && (!tenant.keys->is_refused() || tenant.secret->IsNear());
  if (may_be_news && !tenant.keys->HasNewerThan(refused)) {
    Task<bool> reading = AwaitRefresh(loop, deadline, cancel,
                                      [secret = tenant.secret](std::function<void()> on_done) {
                                        return secret->ReadAgain(std::move(on_done));
                                      });
    co_await reading;
  }
  co_return tenant.keys->InsteadOf(refused, Clock::now());
}

}  // namespace idv
