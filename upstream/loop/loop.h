#pragma once

#include <sys/epoll.h>

#include <coroutine>
#include <cstdint>
#include <functional>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "upstream/loop/parker.h"
#include "upstream/loop/timers.h"
#include "upstream/loop/watcher.h"

namespace idv {

// The event loop of one shard: runs coroutines, file descriptors, timers and posted work on the
// thread that calls Run(), together with whatever the parker brings (a gRPC completion queue).
// Everything that touches a loop does so on that thread, Post() apart. Knows nothing of HTTP or
// gRPC.
//
// One turn: the parker without waiting, then the descriptors (a few times while some are ready),
// due timers, posted work and resumed coroutines. When all were empty the loop parks until the next
// timer; if it has descriptors, the process's Watcher wakes it from there. So an idle loop uses no
// processor time, and a busy one no other thread.
class Loop {
 public:
  // What to do when a descriptor is ready; `events` are epoll's.
  using FdHandler = std::function<void(int fd, uint32_t events)>;

  // Borrows both, which must outlive it.
  Loop(Parker& parker, Watcher& watcher);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  Timers& timers() { return timers_; }

  // Reports `events` (EPOLLIN, EPOLLOUT) of `fd`, level-triggered, until UnwatchFd(); again with
  // other events to change them. All descriptors share the handler given to SetFdHandler().
  void WatchFd(int fd, uint32_t events);
  void UnwatchFd(int fd);
  void SetFdHandler(FdHandler handler) { fd_handler_ = std::move(handler); }

  // Resumes the coroutine in this turn or the next one, never from within this call: whoever ends a
  // wait (a timer, a cancellation, a transfer) need not care what the waiter destroys.
  void Resume(std::coroutine_handle<> coroutine) { ready_.push_back(coroutine); }

  // Runs `work` on the loop's thread, soon. From any thread. False, and `work` is dropped, when the
  // loop is closed.
  bool Post(std::function<void()> work);

  // Nobody may wake the loop from here on: call it before the parker is shut down. Run() still goes
  // on until the parker says that it is done.
  void Close();

  // Runs until the parker is shut down, and then what Post() has taken until Close().
  void Run();

 private:
  bool PollFds();
  bool RunPosted();
  bool RunReady();
  bool PrepareToPark();
  Parker::Result Park();

  Parker& parker_;
  Watcher& watcher_;
  const int epoll_fd_;
  FdHandler fd_handler_;
  Timers timers_;
  std::unordered_map<int, uint32_t> watched_;
  std::vector<std::coroutine_handle<>> ready_;
  std::vector<std::coroutine_handle<>> running_;

  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;  // protected by mutex_
  bool parked_ = false;                        // protected by mutex_
  bool closed_ = false;                        // protected by mutex_
};

}  // namespace idv
