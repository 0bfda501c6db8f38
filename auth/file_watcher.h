#pragma once

#include <chrono>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace idv {

// Tells when files may have changed, whichever way: written, replaced, or, as Kubernetes does it,
// behind a symbolic link `..data` beside them that is replaced. It has one thread, which sleeps
// until something happens in the files' folders. Start and destruction on one thread.
class FileWatcher {
 public:
  struct Options {
    // When nothing was seen for so long, as on file systems that tell nothing, and for folders that
    // come and go, it asks to look.
    std::chrono::milliseconds poll{30'000};
    // What belongs together is seldom written at once: waits for so long after the first change.
    std::chrono::milliseconds settle{100};
  };

  // `look` is called on the watcher's thread, and should find out by itself whether anything is
  // new. It returns the files to watch from then on.
  FileWatcher(const std::vector<std::string>& paths, const Options& options,
              std::function<std::vector<std::string>()> look);
  // Waits for a `look` that runs.
  ~FileWatcher();
  // Has it look, soon. From any thread.
  void Look() const;
  FileWatcher(const FileWatcher&) = delete;
  FileWatcher& operator=(const FileWatcher&) = delete;

 private:
  void Run();
  void Watch(const std::vector<std::string>& paths);

  std::set<std::string> folders_;
  const Options options_;
  const std::function<std::vector<std::string>()> look_;
  const int inotify_fd_;  // -1: the kernel has no more; polling goes on
  const int look_fd_;
  const int stop_fd_;
  std::thread thread_;
};

}  // namespace idv
