#include "gateway/await_refresh.h"

#include <algorithm>
#include <chrono>

#include "upstream/loop/event.h"
#include "upstream/loop/timers.h"
#include "upstream/loop/wait.h"

namespace idv {
namespace {

// For a secrets store or an issuer to answer.
constexpr std::chrono::seconds kPatience{2};

// Of one coroutine, that another thread tells of.
struct Ending {
  explicit Ending(Loop& loop) : changed(loop) {}
  Event changed;
  bool is_over = false;
};

}  // namespace

Task<bool> AwaitRefresh(Loop& loop, TimePoint deadline, Cancellation& cancel, BeginRefresh begin) {
  if (cancel.fired()) co_return false;
  // Shared with what is posted to the loop, which may come when nobody waits any more.
  const auto ending = std::make_shared<Ending>(loop);
  const auto end = [ending] {
    ending->is_over = true;
    ending->changed.Set();
  };
  const std::unique_ptr<Refresher::Wait> wait = begin([&loop, end] { loop.Post(end); });
  if (wait == nullptr) co_return false;
  Task<> waiting = WaitFor([&ending] { return ending->is_over; }, ending->changed,
                           std::min(deadline, Clock::now() + kPatience), loop, cancel);
  co_await waiting;
  co_return true;
}

}  // namespace idv
