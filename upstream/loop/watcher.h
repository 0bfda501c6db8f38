#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <thread>

namespace idv {

// Watches the epoll descriptors of parked loops, with one thread for the process, and wakes a loop
// when one of its descriptors becomes ready. A loop that is not parked looks for itself, so under
// load this thread sleeps. Thread-safe.
class Watcher {
 public:
  Watcher();
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  // From now on Arm(fd) is allowed; `wake` is called on the watcher's thread. It may be called for
  // nothing when a descriptor of the same number was removed just before.
  void Add(int fd, std::function<void()> wake);

  // When this returns, `wake` does not run and never will.
  void Remove(int fd);

  // Calls `wake` once, when `fd` is readable, or at once if it is already. Repeating it before that
  // changes nothing.
  void Arm(int fd);

 private:
  void Run();

  const int epoll_fd_;
  const int stop_fd_;

  std::mutex mutex_;
  std::map<int, std::function<void()>> wakes_;  // by descriptor; protected by mutex_

  std::thread thread_;
};

}  // namespace idv
