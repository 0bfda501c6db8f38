#include "tests/gateway/verify/program.h"

#include <fcntl.h>
#include <pty.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <future>

namespace idv::verify {
namespace {

// Up to the end of a file, or until nobody has the terminal open any more.
std::string ReadAll(int file) {
  std::string content;
  std::array<char, 4096> chunk{};
  for (ssize_t size; (size = read(file, chunk.data(), chunk.size())) > 0;) {
    content.append(chunk.data(), static_cast<std::size_t>(size));
  }
  return content;
}

// A file in memory: unlike a pipe it never fills up, so nobody has to read while the program runs.
class Capture {
 public:
  Capture() : file_(memfd_create("capture", MFD_CLOEXEC)) {}
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;
  ~Capture() { close(file_); }

  int file() const { return file_; }
  std::string Content() const {
    lseek(file_, 0, SEEK_SET);
    return ReadAll(file_);
  }

 private:
  const int file_;
};

// A terminal; what is written to it is read all the time, since it holds a few KiB only.
class Terminal {
 public:
  explicit Terminal(int columns) {
    const winsize size{.ws_row = 24,
                       .ws_col = static_cast<unsigned short>(columns),
                       .ws_xpixel = 0,
                       .ws_ypixel = 0};
    if (openpty(&screen_, &file_, nullptr, nullptr, &size) != 0) std::abort();
    // For the program it is not: that would keep the terminal open.
    fcntl(screen_, F_SETFD, FD_CLOEXEC);
    fcntl(file_, F_SETFD, FD_CLOEXEC);
    reader_ = std::async(std::launch::async, [this] { return ReadAll(screen_); });
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() { close(screen_); }

  int file() const { return file_; }
  // All of it. Once, when the program has ended.
  std::string Content() {
    close(file_);
    return reader_.get();
  }

 private:
  int screen_ = -1;
  int file_ = -1;
  std::future<std::string> reader_;
};

// Runs the program with these files for its output, and fills in all but that.
Outcome Run(const std::string& program, const std::vector<std::string>& arguments, int out,
            int err) {
  std::vector<std::string> words{program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);

  const auto start = std::chrono::steady_clock::now();
  pid_t child = -1;
  const int failed = posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  if (failed != 0 || waitpid(child, &status, 0) != child) return {};

  Outcome outcome;
  outcome.took = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - start);
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  return outcome;
}

}  // namespace

Outcome Verify(const std::vector<std::string>& arguments) {
  return RunProgram(IDV_VERIFY, arguments);
}

Outcome VerifyOnTerminal(const std::vector<std::string>& arguments, int columns) {
  setenv("TERM", "xterm", 1);
  const Capture out;
  Terminal err(columns);
  auto outcome = Run(IDV_VERIFY, arguments, out.file(), err.file());
  outcome.out = out.Content();
  outcome.err = err.Content();
  return outcome;
}

Outcome RunProgram(const std::string& program, const std::vector<std::string>& arguments) {
  const Capture out;
  const Capture err;
  auto outcome = Run(program, arguments, out.file(), err.file());
  outcome.out = out.Content();
  outcome.err = err.Content();
  return outcome;
}

}  // namespace idv::verify
