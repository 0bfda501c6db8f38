#include "tests/e2e/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>
#include <utility>

namespace idv::e2e {
namespace {

int MakeCapture(const char* name) { return memfd_create(name, MFD_CLOEXEC); }

std::string ReadCapture(int file) {
  std::string content;
  std::array<char, 4096> chunk{};
  for (off_t at = 0;;) {
    const ssize_t size = pread(file, chunk.data(), chunk.size(), at);
    if (size <= 0) return content;
    content.append(chunk.data(), static_cast<size_t>(size));
    at += size;
  }
}

// Pointers to the texts, with a null at the end, as exec wants them.
std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> EnvironmentWith(const std::map<std::string, std::string>& additions) {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    variables.emplace_back(*variable);
  }
  for (const auto& [name, value] : additions) {
    variables.emplace_back(name).append("=").append(value);
  }
  return variables;
}

size_t CountEntries(const std::string& directory) {
  std::error_code error;
  const std::filesystem::directory_iterator entries(directory, error);
  return static_cast<size_t>(std::distance(begin(entries), end(entries)));
}

// Of a child; its end stays to be waited for.
bool IsRunning(pid_t pid) {
  siginfo_t end{};
  return waitid(P_PID, static_cast<id_t>(pid), &end, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         end.si_pid == 0;
}

}  // namespace

bool WaitUntil(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

TempDir::TempDir() : path_(std::filesystem::temp_directory_path() / "idv-e2e-XXXXXX") {
  if (mkdtemp(path_.data()) == nullptr) std::abort();
}

TempDir::~TempDir() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

std::string TempDir::Write(const std::string& name, const std::string& content) const {
  const std::string path = Path(name);
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

Process::Process(const std::string& program, std::vector<std::string> arguments,
                 const std::map<std::string, std::string>& environment)
    : out_(MakeCapture("stdout")), err_(MakeCapture("stderr")) {
  arguments.insert(arguments.begin(), program);
  std::vector<std::string> variables = EnvironmentWith(environment);
  const std::vector<char*> argv = Pointers(arguments);
  const std::vector<char*> envp = Pointers(variables);
  pid_ = fork();
  if (pid_ != 0) return;
  // In the child only what is safe between fork and exec.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  dup2(out_, STDOUT_FILENO);
  dup2(err_, STDERR_FILENO);
  execve(program.c_str(), argv.data(), envp.data());
  _exit(127);
}

Process::~Process() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(out_);
  close(err_);
}

void Process::Signal(int signal) const {
  if (pid_ > 0) kill(pid_, signal);
}

std::optional<int> Process::Wait(std::chrono::milliseconds limit) {
  const std::optional<int> status = WaitForStatus(limit);
  if (!status || !WIFEXITED(*status)) return std::nullopt;
  return WEXITSTATUS(*status);
}

std::optional<int> Process::WaitForSignal(std::chrono::milliseconds limit) {
  const std::optional<int> status = WaitForStatus(limit);
  if (!status || !WIFSIGNALED(*status)) return std::nullopt;
  return WTERMSIG(*status);
}

std::optional<int> Process::WaitForStatus(std::chrono::milliseconds limit) {
  int status = 0;
  const bool ended = WaitUntil([&] { return waitpid(pid_, &status, WNOHANG) == pid_; }, limit);
  if (!ended) return std::nullopt;
  pid_ = 0;
  return status;
}

std::string Process::Out() const { return ReadCapture(out_); }
std::string Process::Err() const { return ReadCapture(err_); }

std::vector<std::string> Process::OutLines(size_t count) const {
  std::vector<std::string> lines;
  WaitUntil([&] {
    const bool will_write = IsRunning(pid_);
    lines.clear();
    std::istringstream text(Out());
    for (std::string line; lines.size() < count && std::getline(text, line) && !text.eof();) {
      lines.push_back(line);
    }
    return lines.size() == count || !will_write;
  });
  return lines;
}

std::map<std::string, std::string> Transparent() {
  const std::string preload = IDV_TRANSPARENT_PRELOAD;
  if (preload.empty()) return {};
  return {{"LD_PRELOAD", preload}};
}

std::string ProcFile(pid_t pid, const std::string& name) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

size_t ThreadCount(pid_t pid) { return CountEntries("/proc/" + std::to_string(pid) + "/task"); }
size_t OpenFileCount(pid_t pid) { return CountEntries("/proc/" + std::to_string(pid) + "/fd"); }

long CpuTicks(pid_t pid) {
  const std::string stat = ProcFile(pid, "stat");
  // The name, in parentheses, may hold anything; after it come field 3 and on.
  std::istringstream fields(stat.substr(stat.rfind(')') + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  long user = 0;
  long kernel = 0;
  fields >> user >> kernel;
  return user + kernel;
}

}  // namespace idv::e2e
