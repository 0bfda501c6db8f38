#pragma once

#include <functional>
#include <memory>

#include "auth/refresher.h"
#include "upstream/loop/cancellation.h"
#include "upstream/loop/loop.h"
#include "upstream/loop/task.h"

namespace idv {

// Awaits on a loop's thread what a refresher does on its own: until it is done, `deadline` or a few
// seconds have passed, or `cancel` has fired. `begin` asks for it; null: there is nothing to await.
// False if nothing was. Borrows the loop and the cancellation.
using BeginRefresh = std::function<std::unique_ptr<Refresher::Wait>(std::function<void()> on_done)>;
Task<bool> AwaitRefresh(Loop& loop, TimePoint deadline, Cancellation& cancel, BeginRefresh begin);

}  // namespace idv
