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

void ReportKey(const Tenant& tenant, const CallReport& call, const KeyReporter& report_key) {
  if (call.http_status == 0) return;
  const bool is_refused = call.is_key_refused();
  const bool is_news = is_refused ? tenant.keys->Refused(Clock::now()) : tenant.keys->Accepted();
  if (is_news) report_key(tenant, is_refused);
}

}  // namespace idv
