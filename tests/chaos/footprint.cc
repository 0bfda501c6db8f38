#include "tests/chaos/footprint.h"

#include <filesystem>
#include <ostream>
#include <set>
#include <sstream>
#include <string>

#include "tests/e2e/process.h"

namespace idv::chaos {
namespace {

// Of the TCP connections to that port on this machine: "socket:[INODE]".
std::set<std::string> SocketsTo(int port) {
  std::set<std::string> sockets;
  std::istringstream table(e2e::ProcFile(getpid(), "net/tcp"));
  std::string line;
  std::getline(table, line);  // the headings
  while (std::getline(table, line)) {
    std::istringstream fields(line);
    std::string skipped;
    std::string remote;
    std::string inode;
    fields >> skipped >> skipped >> remote;
    for (int field = 4; field < 10; ++field) fields >> skipped;
    fields >> inode;
    if (std::stoi(remote.substr(remote.find(':') + 1), nullptr, 16) != port) continue;
    sockets.insert("socket:[" + inode + "]");
  }
  return sockets;
}

}  // namespace

Footprint Footprint::Of(pid_t pid, int upstream_port) {
  Footprint footprint{.resident_kib = StatusKib(pid, "VmRSS"), .threads = e2e::ThreadCount(pid)};
  const std::set<std::string> to_upstream = SocketsTo(upstream_port);
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd", error)) {
    const auto target = std::filesystem::read_symlink(entry.path(), error);
    if (to_upstream.count(target.string()) > 0) {
      ++footprint.upstream_connections;
    } else {
      ++footprint.descriptors;
    }
  }
  return footprint;
}

std::ostream& operator<<(std::ostream& out, const Footprint& footprint) {
  return out << "RSS " << footprint.resident_kib << " KiB, threads " << footprint.threads
             << ", descriptors " << footprint.descriptors << ", besides "
             << footprint.upstream_connections << " connections to the upstream";
}

size_t StatusKib(pid_t pid, const char* name) {
  std::istringstream status(e2e::ProcFile(pid, "status"));
  const std::string start = std::string(name) + ":";
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(start, 0) == 0) return std::stoul(line.substr(start.size()));
  }
  return 0;
}

}  // namespace idv::chaos
