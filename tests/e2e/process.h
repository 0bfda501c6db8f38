#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace idv::e2e {

// Asks `condition` until it holds, every few milliseconds; false when `limit` has passed before.
bool WaitUntil(const std::function<bool()>& condition,
               std::chrono::milliseconds limit = std::chrono::seconds(10));

// A directory of its own, removed with everything in it.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  // The path of a file in it.
  std::string Path(const std::string& name) const { return path_ + "/" + name; }
  // Writes a file and returns its path.
  std::string Write(const std::string& name, const std::string& content) const;

 private:
  std::string path_;
};

// A program that runs; killed with its owner, also if that dies. Its output goes to files in
// memory, which unlike pipes never fill up.
class Process {
 public:
  explicit Process(const std::string& program, std::vector<std::string> arguments,
                   const std::map<std::string, std::string>& environment = {});
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  void Signal(int signal) const;
  // The exit code; nothing if it did not end in time, or not by itself.
  std::optional<int> Wait(std::chrono::milliseconds limit = std::chrono::seconds(20));
  // The signal that ended it; nothing if it did not end in time, or by itself.
  std::optional<int> WaitForSignal(std::chrono::milliseconds limit = std::chrono::seconds(20));

  // What it has written so far.
  std::string Out() const;
  std::string Err() const;
  // The first `count` lines of its output, as soon as they are there; fewer if they do not come.
  std::vector<std::string> OutLines(size_t count) const;

 private:
  // As waitpid(2) tells it.
  std::optional<int> WaitForStatus(std::chrono::milliseconds limit);

  pid_t pid_ = 0;
  int out_;
  int err_;
};

// What a gateway's environment needs for a test to see its open files and its environment, and to
// reset its peak memory. They are hidden else from whoever may not trace every process, and in many
// containers root may not.
std::map<std::string, std::string> Transparent();

// What /proc says of a running program.
std::string ProcFile(pid_t pid, const std::string& name);
size_t ThreadCount(pid_t pid);
size_t OpenFileCount(pid_t pid);
// Processor time in clock ticks, in user and kernel mode together.
long CpuTicks(pid_t pid);

}  // namespace idv::e2e
