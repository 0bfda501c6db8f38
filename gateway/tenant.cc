#include "gateway/tenant.h"

#include <algorithm>
#include <chrono>

#include "upstream/loop/event.h"

namespace idv {
namespace {

// For a secrets store to answer, before the former key is tried.
constexpr std::chrono::seconds kPatience{2};

// Of one coroutine, that another thread tells of.
struct Ending {
  explicit Ending(Loop& loop) : changed(loop) {}
  Event changed;
  bool is_over = false;
};

Task<> ReadAgain(const SecretStore::Followed& secret, Loop& loop, TimePoint deadline,
                 Cancellation& cancel) {
  if (cancel.fired()) co_return;
  // Shared with what is posted to the loop, which may come when nobody waits any more.
  const auto ending = std::make_shared<Ending>(loop);
  const auto end = [ending] {
    ending->is_over = true;
    ending->changed.Set();
  };
  const Refresher::Wait wait = secret.ReadAgain([&loop, end] { loop.Post(end); });
  const Cancellation::Listener on_cancel(cancel, end);
  Timer on_deadline(loop.timers(), end);
  on_deadline.Set(std::min(deadline, Clock::now() + kPatience));
  while (!ending->is_over) co_await ending->changed;
}

}  // namespace

Task<std::optional<Sender>> KeyInsteadOf(const Sender& refused, const Tenant& tenant, Loop& loop,
                                         TimePoint deadline, Cancellation& cancel) {
  if (tenant.secret != nullptr && !tenant.keys->HasNewerThan(refused)) {
    Task<> reading = ReadAgain(*tenant.secret, loop, deadline, cancel);
    co_await reading;
  }
  co_return tenant.keys->InsteadOf(refused, Clock::now());
}

}  // namespace idv
