#include "tests/chaos/child.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <sstream>
#include <vector>

#include "tests/e2e/process.h"

namespace idv::chaos {
namespace {

std::vector<pid_t> Children() {
  std::vector<pid_t> children;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    std::istringstream pids(
        e2e::ProcFile(getpid(), "task/" + thread.path().filename().string() + "/children"));
    for (pid_t pid = 0; pids >> pid;) children.push_back(pid);
  }
  return children;
}

pid_t Find(const std::string& name) {
  for (const pid_t pid : Children()) {
    if (e2e::ProcFile(pid, "comm") == name + "\n") return pid;
  }
  ADD_FAILURE() << "no " << name << " runs";
  return 0;
}

}  // namespace

Child::Child(const std::string& name)
    : pid_(Find(name)),
      err_(open(("/proc/" + std::to_string(pid_) + "/fd/2").c_str(), O_RDONLY | O_CLOEXEC)) {}

Child::~Child() { close(err_); }

std::optional<int> Child::Stop() const {
  if (pid_ == 0) return std::nullopt;
  kill(pid_, SIGTERM);
  siginfo_t end{};
  const bool ended = e2e::WaitUntil([&] {
    // WNOWAIT leaves it to its owner.
    return waitid(P_PID, static_cast<id_t>(pid_), &end, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           end.si_pid == pid_;
  });
  if (!ended || end.si_code != CLD_EXITED) return std::nullopt;
  return end.si_status;
}

std::string Child::Err() const {
  std::string text;
  std::array<char, 4096> chunk{};
  for (off_t at = 0;;) {
    const ssize_t size = pread(err_, chunk.data(), chunk.size(), at);
    if (size <= 0) return text;
    text.append(chunk.data(), static_cast<size_t>(size));
    at += size;
  }
}

}  // namespace idv::chaos
