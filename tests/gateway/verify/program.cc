#include "tests/gateway/verify/program.h"

#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

namespace idv::verify {
namespace {

// A file in memory: unlike a pipe it never fills up, so nobody has to read while the program runs.
class Capture {
 public:
  Capture() : file_(memfd_create("capture", MFD_CLOEXEC)) {}
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;
  ~Capture() { close(file_); }

  int file() const { return file_; }
  std::string Content() const {
    std::string content;
    std::array<char, 4096> chunk{};
    lseek(file_, 0, SEEK_SET);
    for (ssize_t size; (size = read(file_, chunk.data(), chunk.size())) > 0;) {
      content.append(chunk.data(), static_cast<std::size_t>(size));
    }
    return content;
  }

 private:
  const int file_;
};

}  // namespace

Outcome RunProgram(const std::string& program, const std::vector<std::string>& arguments) {
  std::vector<std::string> words{program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const Capture out;
  const Capture err;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out.file(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.file(), STDERR_FILENO);

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
  outcome.out = out.Content();
  outcome.err = err.Content();
  return outcome;
}

}  // namespace idv::verify
