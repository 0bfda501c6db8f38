#include "metrics/process_series.h"

#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

namespace idv {
namespace {

std::string ReadAll(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::optional<double> NumberAt(const std::vector<std::string>& fields, size_t place) {
  double number = 0;
  if (place >= fields.size() || !absl::SimpleAtod(fields[place], &number)) return std::nullopt;
  return number;
}

// Of the machine, since the epoch.
std::optional<double> BootTime() {
  const std::string stat = ReadAll("/proc/stat");
  for (const absl::string_view line : absl::StrSplit(stat, '\n')) {
    const std::vector<std::string> fields = absl::StrSplit(line, ' ');
    if (absl::StartsWith(line, "btime ")) return NumberAt(fields, 1);
  }
  return std::nullopt;
}

std::optional<double> OpenDescriptors() {
  std::error_code failed;
  const std::filesystem::directory_iterator first("/proc/self/fd", failed);
  if (failed) return std::nullopt;
  // One of them is the folder's own.
  return static_cast<double>(std::distance(begin(first), end(first)) - 1);
}

}  // namespace

void AddProcess(Families& families) {
  const auto gauge = [&](const char* name, const char* help, std::optional<double> value) {
    if (value) families.Gauge(name, help, *value);
  };
  // proc(5): the fields behind the name, which is in parentheses and may hold blanks.
  const std::string stat = ReadAll("/proc/self/stat");
  const std::vector<std::string> fields =
      absl::StrSplit(stat.substr(std::min(stat.size(), stat.rfind(')') + 2)), ' ');
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  constexpr size_t kUserTicks = 11;
  constexpr size_t kSystemTicks = 12;
  constexpr size_t kThreads = 17;
  constexpr size_t kStartTicks = 19;
  constexpr size_t kVirtualBytes = 20;
  constexpr size_t kResidentPages = 21;

  const auto user = NumberAt(fields, kUserTicks);
  const auto system = NumberAt(fields, kSystemTicks);
  if (user && system) {
    families.Counter("process_cpu_seconds_total", "User and system time.",
                     (*user + *system) / ticks);
  }
  gauge("process_threads", "Threads.", NumberAt(fields, kThreads));
  gauge("process_virtual_memory_bytes", "Virtual memory.", NumberAt(fields, kVirtualBytes));
  if (const auto pages = NumberAt(fields, kResidentPages)) {
    families.Gauge("process_resident_memory_bytes", "Resident memory.",
                   *pages * static_cast<double>(sysconf(_SC_PAGESIZE)));
  }
  const auto started = NumberAt(fields, kStartTicks);
  const auto booted = BootTime();
  if (started && booted) {
    families.Gauge("process_start_time_seconds", "When the process began, since the epoch.",
                   *booted + *started / ticks);
  }
  gauge("process_open_fds", "Open file descriptors.", OpenDescriptors());
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    families.Gauge("process_max_fds", "How many may be open.", static_cast<double>(limit.rlim_cur));
  }
}

}  // namespace idv
