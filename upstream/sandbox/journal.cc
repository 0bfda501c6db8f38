#include "upstream/sandbox/journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <string_view>

#include "upstream/sandbox/json.h"
#include "upstream/sandbox/record_state.h"

namespace idv::sandbox {
namespace {

// The first line, so that no other file is taken for one of these and overwritten.
constexpr std::string_view kKind = R"({"kind":"idv-sandbox state","version":1})";

std::string LastError() { return std::strerror(errno); }

bool RestoreLine(const std::string& line, Store& store) {
  const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || json.size() != 1) return false;
  if (json.contains("verification")) {
    auto verification = ReadVerification(json["verification"]);
    if (verification) store.Restore(std::move(*verification));
    return verification.has_value();
  }
  auto alert = json.contains("alert") ? ReadAlert(json["alert"]) : std::nullopt;
  if (alert) store.Restore(std::move(*alert));
  return alert.has_value();
}

std::string LinesOf(const Changes& changes) {
  std::string lines;
  for (const Verification* const verification : changes.verifications) {
    lines += Dump({{"verification", StateJson(*verification)}}) + "\n";
  }
  for (const Alert* const alert : changes.alerts) {
    lines += Dump({{"alert", StateJson(*alert)}}) + "\n";
  }
  return lines;
}

// Locked; -1 with errno set when it cannot be had.
int OpenLocked(const std::string& file, int flags) {
  const int descriptor = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | flags, 0600);
  if (descriptor < 0 || flock(descriptor, LOCK_EX | LOCK_NB) == 0) return descriptor;
  const int error = errno;
  close(descriptor);
  errno = error;
  return -1;
}

}  // namespace

Journal::~Journal() {
  if (descriptor_ >= 0) close(descriptor_);
}

std::optional<std::string> Journal::Open(const std::string& file, Store& store) {
  const int before = OpenLocked(file, 0);
  if (before < 0) {
    return errno == EWOULDBLOCK ? "another sandbox uses it" : LastError();
  }
  auto problem = Load(file, store);
  if (!problem) problem = Replace(file, store);
  close(before);  // its lock was needed until there was a new one
  return problem;
}

std::optional<std::string> Journal::Load(const std::string& file, Store& store) {
  std::ifstream stream(file, std::ios::binary);
  std::string line;
  if (!std::getline(stream, line)) return stream.bad() ? std::optional(LastError()) : std::nullopt;
  if (line != kKind) return "is no state of idv-sandbox";
  for (int number = 2; std::getline(stream, line); ++number) {
    if (stream.eof()) return std::nullopt;  // without an end
    if (!RestoreLine(line, store)) return "line " + std::to_string(number) + " is no record";
  }
  return stream.bad() ? std::optional(LastError()) : std::nullopt;
}

std::optional<std::string> Journal::Replace(const std::string& file, const Store& store) {
  const std::string part = file + ".new";
  descriptor_ = OpenLocked(part, O_TRUNC | O_APPEND);
  if (descriptor_ < 0) return part + ": " + LastError();
  const std::string text = std::string(kKind) + "\n" + LinesOf(store.All());
  if (!Append(text) || std::rename(part.c_str(), file.c_str()) != 0) {
    return part + ": " + LastError();
  }
  return std::nullopt;
}

bool Journal::Append(const std::string& text) {
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t written = write(descriptor_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int error = errno;
      (void)!ftruncate(descriptor_, size_);  // no half lines
      errno = error;
      return false;
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  size_ += static_cast<std::int64_t>(text.size());
  return true;
}

void Journal::Write(const Changes& changes) {
  if (descriptor_ < 0) return;
  if (Append(LinesOf(changes))) return;
  std::cerr << "idv-sandbox: cannot write the state: " << LastError() << '\n';
}

void Journal::Clear() {
  if (descriptor_ < 0) return;
  size_ = static_cast<std::int64_t>(kKind.size()) + 1;
  if (ftruncate(descriptor_, size_) == 0) return;
  std::cerr << "idv-sandbox: cannot clear the state: " << LastError() << '\n';
}

}  // namespace idv::sandbox
