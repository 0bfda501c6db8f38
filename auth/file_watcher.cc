#include "auth/file_watcher.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <utility>

namespace idv {

FileWatcher::FileWatcher(const std::vector<std::string>& paths, const Options& options,
                         std::function<std::vector<std::string>()> look)
    : options_(options),
      look_(std::move(look)),
      inotify_fd_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)),
      look_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      stop_fd_(eventfd(0, EFD_CLOEXEC)) {
  Watch(paths);  // so that nothing is missed from here on
  thread_ = std::thread([this] { Run(); });
}

FileWatcher::~FileWatcher() {
  eventfd_write(stop_fd_, 1);
  thread_.join();
  close(stop_fd_);
  close(look_fd_);
  if (inotify_fd_ >= 0) close(inotify_fd_);
}

void FileWatcher::Look() const { eventfd_write(look_fd_, 1); }

// To watch a folder again costs nothing; one that is not there may come.
void FileWatcher::Watch(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    folders_.insert(std::filesystem::absolute(path).parent_path().string());
  }
  for (const std::string& folder : folders_) {
    inotify_add_watch(inotify_fd_, folder.c_str(),
                      IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_ONLYDIR);
  }
}

void FileWatcher::Run() {
  std::array<pollfd, 3> fds{
      {{stop_fd_, POLLIN, 0}, {look_fd_, POLLIN, 0}, {inotify_fd_, POLLIN, 0}}};
  const auto is_stopped_within = [&](std::chrono::milliseconds time, nfds_t watched) {
    poll(fds.data(), watched, static_cast<int>(time.count()));
    return fds[0].revents != 0;
  };
  for (;;) {
    if (is_stopped_within(options_.poll, fds.size())) return;
    if (fds[2].revents != 0 && fds[1].revents == 0 && is_stopped_within(options_.settle, 1)) return;
    // What has happened does not matter, nor how often.
    std::array<char, 4096> events;
    while (read(inotify_fd_, events.data(), events.size()) > 0) {
    }
    eventfd_t asked = 0;
    eventfd_read(look_fd_, &asked);
    Watch({});
    const size_t before = folders_.size();
    Watch(look_());
    if (folders_.size() > before) Look();  // something may have happened there meanwhile
  }
}

}  // namespace idv
